#!/bin/bash -eu
# Builds every target, with its seeds and the protocol's words, into $OUT. Called by OSS-Fuzz; it runs wherever cargo-fuzz is.
cd "$SRC/memring"
cargo fuzz build --release
cp -r ring-core/tests/vectors "$OUT/"
for target in $(cargo fuzz list); do
    cp "fuzz/target/x86_64-unknown-linux-gnu/release/$target" "$OUT/"
    cp fuzz/protocol.dict "$OUT/$target.dict"
    (cd "fuzz/corpus/$target" && zip -q "$OUT/${target}_seed_corpus.zip" seed-*)
done
