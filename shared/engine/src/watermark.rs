//! What a document has been fed: the last offset of each source partition.

use crate::codec::{DecodeError, Reader, Writer};

/// Most sources a document's bytes may name.
const MAX_SOURCES: u64 = 100_000;

/// A partition of one topic generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Source {
    /// Number of the topic generation: a recreated topic starts its offsets again.
    pub generation: u32,
    /// Partition.
    pub partition: u32,
}

/// The last offset applied, by source. One entry a partition: a newer topic generation replaces the older.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Watermarks {
    /// Sorted by partition.
    marks: Vec<(Source, u64)>,
}

impl Watermarks {
    /// Was this offset, or a later one of the same source, applied?
    pub fn covers(&self, source: Source, offset: u64) -> bool {
        self.last(source).is_some_and(|last| last >= offset)
    }

    /// The last offset applied of this source.
    pub fn last(&self, source: Source) -> Option<u64> {
        self.marks.iter().find(|(known, _)| *known == source).map(|(_, offset)| *offset)
    }

    /// Notes that `offset` was applied.
    pub fn advance(&mut self, source: Source, offset: u64) {
        match self.marks.binary_search_by_key(&source.partition, |(known, _)| known.partition) {
            Ok(at) => self.marks[at] = (source, offset),
            Err(at) => self.marks.insert(at, (source, offset)),
        }
    }

    /// Its bytes; the same marks make the same bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        self.write(&mut writer);
        writer.into_bytes()
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.unsigned(self.marks.len() as u64);
        for (source, offset) in &self.marks {
            writer.u32(source.generation);
            writer.unsigned(u64::from(source.partition));
            writer.unsigned(*offset);
        }
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let count = reader.count(MAX_SOURCES)?;
        let mut marks = Self::default();
        for _ in 0..count {
            let generation = reader.u32()?;
            let partition = u32::try_from(reader.unsigned()?).map_err(|_| DecodeError::OutOfRange)?;
            marks.advance(Source { generation, partition }, reader.unsigned()?);
        }
        Ok(marks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recreated_topic_starts_again() {
        let mut marks = Watermarks::default();
        let old = Source { generation: 1, partition: 3 };
        let new = Source { generation: 2, partition: 3 };
        marks.advance(old, 900);
        assert!(marks.covers(old, 900) && !marks.covers(old, 901) && !marks.covers(new, 0));
        marks.advance(new, 0);
        assert!(marks.covers(new, 0) && !marks.covers(old, 1));
        let bytes = marks.encode();
        assert_eq!(Watermarks::read(&mut Reader::new(&bytes)), Ok(marks));
    }
}
