//! Blocks of text are the same however the text is cut into windows.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pki_encodings::pem::Scanner;

type Said = (String, Vec<u8>, Option<String>, bool, String);

fn blocks(windows: &[&[u8]]) -> Vec<Said> {
    let mut scanner = Scanner::new();
    let mut all = Vec::new();
    let mut window = Vec::new();
    for (at, octets) in windows.iter().enumerate() {
        window.extend_from_slice(octets);
        let last = at + 1 == windows.len();
        let done = scanner.feed(&window, last, &mut |block| {
            let fault = format!("{:?}", block.fault);
            all.push((block.label, block.octets.to_vec(), block.dek_info, block.own_line, fault));
        });
        window.drain(..done);
    }
    all
}

// The first octet says how long the windows are.
fuzz_target!(|input: &[u8]| {
    let Some((step, text)) = input.split_first() else { return };
    let windows: Vec<&[u8]> = text.chunks(usize::from(*step) + 1).collect();
    if !windows.is_empty() {
        assert_eq!(blocks(&windows), blocks(&[text]));
    }
});
