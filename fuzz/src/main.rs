//! Gives one parser the bytes that libFuzzer thinks of. Which one, `SEEDBED_FUZZ` says.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use seedbed::outside::{TARGETS, Target};

static TARGET: LazyLock<&Target> = LazyLock::new(|| {
    let name = std::env::var("SEEDBED_FUZZ").unwrap_or_default();
    let names = TARGETS.iter().map(|target| target.name).collect::<Vec<_>>().join(", ");
    let found = TARGETS.iter().find(|target| target.name == name);
    found.unwrap_or_else(|| panic!("SEEDBED_FUZZ is {name:?}; it is one of {names}"))
});

fuzz_target!(|bytes: &[u8]| {
    if let Err(broken) = (TARGET.try_bytes)(bytes) {
        panic!("{}: {broken}", TARGET.name);
    }
});
