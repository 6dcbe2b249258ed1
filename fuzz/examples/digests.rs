//! Prints what each scheme makes of a million keys, one line each: the file that no commit may change but on purpose.

fn main() {
    print!("{}", memring_fuzz::placement::digests());
}
