//! Single streams that were made smaller. All in Rust: what comes in here comes from strangers, and
//! a megabyte more a second is not worth a hole.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::GzDecoder;
use lzma_rust2::{LzmaReader, XzReader};
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use crate::bzip2::Bzip2;
use crate::input::CHUNK;

/// Memory that one stream may ask for to be unpacked, in KiB: what `xz -9` and `zstd --ultra` need
/// is about half of it.
const MEMORY_KIB: u32 = 160 << 10;

/// The ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Packing {
    Gzip,
    Xz,
    Zstd,
    Bzip2,
    /// The predecessor of xz, which has no magic number: only where something else names it.
    Lzma,
}

impl Packing {
    pub(crate) fn of(prefix: &[u8]) -> Option<Self> {
        match prefix {
            // RFC 1952, 2.3: deflate is the one method there is; the highest three flags are none.
            [0x1F, 0x8B, 8, flags, ..] if flags & 0xE0 == 0 => Some(Self::Gzip),
            [0xFD, b'7', b'z', b'X', b'Z', 0, ..] => Some(Self::Xz),
            // RFC 8878, 3.1.1.
            [0x28, 0xB5, 0x2F, 0xFD, ..] => Some(Self::Zstd),
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, ..]
            | [b'B', b'Z', b'h', b'1'..=b'9', 0x17, 0x72, 0x45, 0x38, 0x50, 0x90, ..] => {
                Some(Self::Bzip2)
            }
            _ => None,
        }
    }

    /// What comes out of an input.
    pub(crate) fn unpack<'a>(self, input: impl Read + 'a) -> Box<dyn Read + 'a> {
        let input = BufReader::with_capacity(CHUNK, input);
        match self {
            Self::Gzip => Box::new(Gzip(Member::Next(input))),
            Self::Xz => Box::new(XzReader::new_mem_limit(input, true, MEMORY_KIB)),
            Self::Zstd => Box::new(Zstd { input, decoder: FrameDecoder::new(), inside: false }),
            Self::Bzip2 => Box::new(Bzip2::new(input)),
            Self::Lzma => match LzmaReader::new_mem_limit(input, MEMORY_KIB, None) {
                Ok(reader) => Box::new(reader),
                Err(error) => Box::new(Failed(Some(io::Error::other(error)))),
            },
        }
    }
}

/// Fails once, then is at its end.
struct Failed(Option<io::Error>);

impl Read for Failed {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

/// The members of a gzip file, one after the other (RFC 1952, 2.2).
struct Gzip<R>(Member<R>);

enum Member<R> {
    Next(R),
    Inside(Box<GzDecoder<R>>),
    Done,
}

impl<R: BufRead> Read for Gzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            match std::mem::replace(&mut self.0, Member::Done) {
                Member::Done => return Ok(0),
                Member::Next(input) => self.0 = Member::Inside(Box::new(GzDecoder::new(input))),
                Member::Inside(mut decoder) => {
                    let read = decoder.read(buffer)?;
                    if read > 0 {
                        self.0 = Member::Inside(decoder);
                        return Ok(read);
                    }
                    let mut input = decoder.into_inner();
                    match beyond_zeros(&mut input)? {
                        None => return Ok(0),
                        Some(0x1F) => self.0 = Member::Next(input),
                        Some(_) => return Err(followed()),
                    }
                }
            }
        }
    }
}

/// The next octet that is not zero. Tapes and disks pad with zeros.
fn beyond_zeros(input: &mut impl BufRead) -> io::Result<Option<u8>> {
    loop {
        let ready = input.fill_buf()?;
        let Some(first) = ready.first().copied() else { return Ok(None) };
        let zeros = ready.iter().take_while(|octet| **octet == 0).count();
        if zeros == 0 {
            return Ok(Some(first));
        }
        input.consume(zeros);
    }
}

/// The frames of a Zstandard file, one after the other (RFC 8878, 3).
struct Zstd<R> {
    input: R,
    decoder: FrameDecoder,
    inside: bool,
}

impl<R: BufRead> Zstd<R> {
    /// Begins the next frame; `false` where there is none.
    fn begin(&mut self) -> io::Result<bool> {
        loop {
            if self.input.fill_buf()?.is_empty() {
                return Ok(false);
            }
            match self.decoder.reset(&mut self.input) {
                Ok(()) => return Ok(true),
                // RFC 8878, 3.1.2: frames for others, to be passed over.
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => {
                    let length = u64::from(length);
                    let passed = io::copy(&mut self.input.by_ref().take(length), &mut io::sink())?;
                    if passed < length {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                }
                Err(error) => return Err(io::Error::other(error)),
            }
        }
    }
}

impl<R: BufRead> Read for Zstd<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            if !self.inside {
                if !self.begin()? {
                    return Ok(0);
                }
                self.inside = true;
            }
            while self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
                let some = BlockDecodingStrategy::UptoBlocks(1);
                self.decoder.decode_blocks(&mut self.input, some).map_err(io::Error::other)?;
            }
            let read = self.decoder.read(buffer)?;
            if read > 0 {
                return Ok(read);
            }
            let stated = self.decoder.get_checksum_from_data();
            if stated.is_some() && stated != self.decoder.get_calculated_checksum() {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "the check sum differs"));
            }
            self.inside = false;
        }
    }
}

fn followed() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "something else follows the compressed data")
}
