//! Linux on x86-64 without the C library.

use core::arch::asm;

/// Reads standard input, as much as `buffer` takes.
pub fn read(buffer: &mut [u8]) -> &[u8] {
    let mut len = 0;
    loop {
        let room = buffer.get_mut(len..).unwrap_or_default();
        match syscall(0, 0, room.as_mut_ptr() as usize, room.len()) {
            read @ 1.. => len += read as usize,
            _ => return buffer.get(..len).unwrap_or_default(),
        }
    }
}

/// Writes to standard output.
pub fn write(bytes: &[u8]) {
    syscall(1, 1, bytes.as_ptr() as usize, bytes.len());
}

/// Ends the program.
pub fn exit(status: u8) -> ! {
    loop {
        syscall(60, status.into(), 0, 0);
    }
}

fn syscall(number: usize, first: usize, second: usize, third: usize) -> isize {
    let result;
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") number => result,
            in("rdi") first,
            in("rsi") second,
            in("rdx") third,
            lateout("rcx") _,
            lateout("r11") _,
        );
    }
    result
}

/// The functions that the compiler calls by itself.
mod memory {
    use core::arch::asm;

    #[unsafe(no_mangle)]
    unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, len: usize) -> *mut u8 {
        unsafe { asm!("rep movsb", inout("rcx") len => _, inout("rdi") to => _, inout("rsi") from => _) };
        to
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, len: usize) -> *mut u8 {
        if (to as usize).wrapping_sub(from as usize) >= len {
            return unsafe { memcpy(to, from, len) };
        }
        unsafe {
            asm!(
                "std", "rep movsb", "cld",
                inout("rcx") len => _,
                inout("rdi") to.add(len).wrapping_sub(1) => _,
                inout("rsi") from.add(len).wrapping_sub(1) => _,
            );
        }
        to
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn memset(to: *mut u8, byte: i32, len: usize) -> *mut u8 {
        unsafe { asm!("rep stosb", inout("rcx") len => _, inout("rdi") to => _, in("al") byte as u8) };
        to
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn memcmp(left: *const u8, right: *const u8, len: usize) -> i32 {
        for at in 0..len {
            let (left, right) = unsafe { (left.add(at).read_volatile(), right.add(at).read_volatile()) };
            if left != right {
                return i32::from(left) - i32::from(right);
            }
        }
        0
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn bcmp(left: *const u8, right: *const u8, len: usize) -> i32 {
        unsafe { memcmp(left, right, len) }
    }
}
