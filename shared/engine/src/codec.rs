//! Compact bytes: variable-length integers (LEB128), zigzag for signed ones, texts with their length.

use crate::item_id::ItemId;

/// Longest text in a document, in bytes.
const MAX_TEXT: u64 = 4_096;

/// Why bytes are no document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// They end too early.
    #[error("the document ends too early")]
    Short,
    /// They go on after the end.
    #[error("the document has bytes after its end")]
    Long,
    /// A number or length is out of range.
    #[error("the document has a number out of range")]
    OutOfRange,
    /// A text is not UTF-8.
    #[error("the document has a text that is not UTF-8")]
    NotText,
    /// Another version of this program wrote them.
    #[error("the document has version {0}, which this program does not know")]
    Version(u8),
}

/// Writes a document.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes) }
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    pub(crate) fn byte(&mut self, value: u8) {
        self.bytes.push(value);
    }

    pub(crate) fn unsigned(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }

    pub(crate) fn signed(&mut self, value: i64) {
        self.unsigned((value.cast_unsigned() << 1) ^ (value >> 63).cast_unsigned());
    }

    pub(crate) fn u16(&mut self, value: u16) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    pub(crate) fn u32(&mut self, value: u32) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    pub(crate) fn u48(&mut self, value: u64) {
        self.bytes.extend_from_slice(&value.to_le_bytes()[..6]);
    }

    pub(crate) fn u64(&mut self, value: u64) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.unsigned(text.len() as u64);
        self.bytes.extend_from_slice(text.as_bytes());
    }
}

/// Reads a document; never panics, never allocates more than the bytes could hold.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    pub(crate) fn end(&self) -> Result<(), DecodeError> {
        if self.bytes.is_empty() { Ok(()) } else { Err(DecodeError::Long) }
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], DecodeError> {
        let (taken, rest) = self.bytes.split_at_checked(count).ok_or(DecodeError::Short)?;
        self.bytes = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        self.take(N)?.try_into().map_err(|_| DecodeError::Short)
    }

    pub(crate) fn byte(&mut self) -> Result<u8, DecodeError> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(crate) fn unsigned(&mut self) -> Result<u64, DecodeError> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let part = u64::from(byte & 0x7f);
            if shift == 63 && part > 1 {
                return Err(DecodeError::OutOfRange);
            }
            value |= part << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(DecodeError::OutOfRange)
    }

    pub(crate) fn signed(&mut self) -> Result<i64, DecodeError> {
        let value = self.unsigned()?;
        Ok((value >> 1).cast_signed() ^ -((value & 1).cast_signed()))
    }

    /// A length of at most `max`, and no more than the bytes that are left.
    pub(crate) fn count(&mut self, max: u64) -> Result<usize, DecodeError> {
        let count = self.unsigned()?;
        if count > max || count > self.bytes.len() as u64 { Err(DecodeError::OutOfRange) } else { Ok(count as usize) }
    }

    pub(crate) fn u16(&mut self) -> Result<u16, DecodeError> {
        self.array().map(u16::from_le_bytes)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, DecodeError> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn u48(&mut self) -> Result<u64, DecodeError> {
        let mut bytes = [0; 8];
        bytes[..6].copy_from_slice(self.take(6)?);
        Ok(u64::from_le_bytes(bytes))
    }

    pub(crate) fn u64(&mut self) -> Result<u64, DecodeError> {
        self.array().map(u64::from_le_bytes)
    }

    pub(crate) fn text(&mut self) -> Result<&'a str, DecodeError> {
        let length = self.count(MAX_TEXT)?;
        std::str::from_utf8(self.take(length)?).map_err(|_| DecodeError::NotText)
    }

    /// The first byte of a document: which version of the program wrote it.
    pub(crate) fn version(&mut self, known: u8) -> Result<(), DecodeError> {
        match self.byte()? {
            version if version == known => Ok(()),
            other => Err(DecodeError::Version(other)),
        }
    }

    pub(crate) fn item(&mut self) -> Result<ItemId, DecodeError> {
        self.text().map(ItemId::from)
    }
}
