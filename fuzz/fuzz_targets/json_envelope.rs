//! JSON envelopes: schemas and payloads.

#![no_main]

use std::cell::RefCell;

use lakeward_differential::robustness::{Decoder, decoders_of};
use libfuzzer_sys::fuzz_target;

thread_local! {
    static DECODERS: RefCell<Vec<Decoder>> = RefCell::new(decoders_of("json_envelope"));
}

fuzz_target!(|input: &[u8]| {
    DECODERS.with_borrow_mut(|decoders| decoders.iter_mut().for_each(|decoder| decoder.feed(input)));
});
