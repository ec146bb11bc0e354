//! What is known of a person: the last interactions, what was fed, and the current list.

use crate::codec::{DecodeError, Reader, Writer};
use crate::event::EventKind;
use crate::item_id::ItemId;
use crate::reason::{Because, Reason};
use crate::recommend::Recommendation;
use crate::strategy::Strategy;
use crate::watermark::{Source, Watermarks};

/// The version of the bytes.
const VERSION: u8 = 1;
/// Interactions that are kept.
pub(crate) const MAX_HISTORY: usize = 50;
/// Event ids that are remembered.
pub(crate) const MAX_EVENT_HASHES: usize = 32;
/// No partition: its mark tells a document apart from the one before it was forgotten.
const FENCE: u32 = u32::MAX;
/// Most entries of a list in the bytes.
const MAX_LIST: u64 = 200;

/// A person's document.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Person {
    /// What it was fed.
    pub watermarks: Watermarks,
    /// The last interactions, oldest first, in the order they arrived.
    pub(crate) history: Vec<Past>,
    /// The last events' ids by hash (48 bits), oldest first.
    pub(crate) event_hashes: Vec<u64>,
    /// What is recommended at present.
    pub list: Option<List>,
}

/// One past interaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past {
    /// The product.
    pub item: ItemId,
    /// What was done.
    pub kind: EventKind,
    /// When, seconds since the epoch.
    pub at_s: i64,
    /// The visit it belongs to, counted from 0.
    pub visit: u32,
}

/// A list with its origin.
#[derive(Debug, Clone, PartialEq)]
pub struct List {
    /// Best first.
    pub entries: Vec<ListEntry>,
    /// When, milliseconds since the epoch.
    pub generated_at_ms: i64,
    /// By which strategy.
    pub strategy: Strategy,
    /// Names the list in clicks and exposures.
    pub recommendation_id: u64,
    /// Id of the event that caused it.
    pub caused_by: String,
}

/// One recommended item, as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListEntry {
    /// The product.
    pub item: ItemId,
    /// Score in 1/65535.
    score: u16,
    /// Why.
    pub reason: Reason,
}

impl ListEntry {
    /// How well it fits, 0 to 1.
    pub fn score(&self) -> f32 {
        f32::from(self.score) / f32::from(u16::MAX)
    }
}

impl From<Recommendation> for ListEntry {
    fn from(recommendation: Recommendation) -> Self {
        let score = (recommendation.score.clamp(0.0, 1.0) * f32::from(u16::MAX)).round() as u16;
        Self { item: recommendation.item, score, reason: recommendation.reason }
    }
}

/// Texts of a document: the first time in full, then by number.
#[derive(Default)]
struct Dictionary {
    items: Vec<ItemId>,
}

impl Dictionary {
    fn write(&mut self, item: &ItemId, writer: &mut Writer) {
        match self.items.iter().position(|known| known == item) {
            Some(at) => writer.unsigned(at as u64 + 1),
            None => {
                writer.unsigned(0);
                writer.text(item);
                self.items.push(item.clone());
            }
        }
    }

    fn read(&mut self, reader: &mut Reader<'_>) -> Result<ItemId, DecodeError> {
        match reader.unsigned()? {
            0 => {
                let item = reader.item()?;
                self.items.push(item.clone());
                Ok(item)
            }
            number => self.items.get(number as usize - 1).cloned().ok_or(DecodeError::OutOfRange),
        }
    }
}

impl Person {
    /// Has the person done anything yet?
    pub fn has_history(&self) -> bool {
        !self.history.is_empty()
    }

    /// Forgets what the person did and what was recommended. What it was fed stays known, so that nothing of it comes back
    /// with a redelivery; `fence` (another one each time) makes a write that was computed from the old document fail.
    pub fn forget(&mut self, fence: u64) {
        self.history.clear();
        self.list = None;
        self.watermarks.advance(Source { generation: 0, partition: FENCE }, fence);
    }

    /// The last interactions, oldest first.
    pub fn history(&self) -> &[Past] {
        &self.history
    }

    /// Its bytes; the same person makes the same bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        let mut items = Dictionary::default();
        self.write_profile(&mut writer, &mut items);
        writer.byte(u8::from(self.list.is_some()));
        if let Some(list) = &self.list {
            list.write(&mut writer, &mut items);
        }
        writer.into_bytes()
    }

    /// The bytes without the list: what depends on the person's own events alone.
    pub fn encode_profile(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        self.write_profile(&mut writer, &mut Dictionary::default());
        writer.into_bytes()
    }

    fn write_profile(&self, writer: &mut Writer, items: &mut Dictionary) {
        writer.byte(VERSION);
        self.watermarks.write(writer);
        writer.unsigned(self.event_hashes.len() as u64);
        self.event_hashes.iter().for_each(|hash| writer.u48(*hash));
        writer.unsigned(self.history.len() as u64);
        let (mut at_s, mut visit) = (0_i64, 0_u32);
        for past in &self.history {
            items.write(&past.item, writer);
            writer.byte(past.kind.code());
            writer.signed(past.at_s.wrapping_sub(at_s));
            writer.unsigned(u64::from(past.visit.wrapping_sub(visit)));
            (at_s, visit) = (past.at_s, past.visit);
        }
    }

    /// Reads its bytes.
    ///
    /// # Errors
    /// They are no person of a version that this program knows.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        reader.version(VERSION)?;
        let watermarks = Watermarks::read(&mut reader)?;
        let count = reader.count(MAX_EVENT_HASHES as u64)?;
        let event_hashes = (0..count).map(|_| reader.u48()).collect::<Result<_, _>>()?;
        let count = reader.count(MAX_HISTORY as u64)?;
        let mut items = Dictionary::default();
        let mut history = Vec::with_capacity(count);
        let (mut at_s, mut visit) = (0_i64, 0_u32);
        for _ in 0..count {
            let item = items.read(&mut reader)?;
            let kind = EventKind::from_code(reader.byte()?).ok_or(DecodeError::OutOfRange)?;
            at_s = at_s.wrapping_add(reader.signed()?);
            visit = visit.wrapping_add(u32::try_from(reader.unsigned()?).map_err(|_| DecodeError::OutOfRange)?);
            history.push(Past { item, kind, at_s, visit });
        }
        let list = match reader.byte()? {
            0 => None,
            1 => Some(List::read(&mut reader, &mut items)?),
            _ => return Err(DecodeError::OutOfRange),
        };
        reader.end()?;
        Ok(Self { watermarks, history, event_hashes, list })
    }
}

impl List {
    fn write(&self, writer: &mut Writer, items: &mut Dictionary) {
        writer.signed(self.generated_at_ms);
        writer.byte(Strategy::ALL.iter().position(|strategy| *strategy == self.strategy).unwrap_or(0) as u8);
        writer.u64(self.recommendation_id);
        writer.text(&self.caused_by);
        writer.unsigned(self.entries.len() as u64);
        for entry in &self.entries {
            items.write(&entry.item, writer);
            writer.u16(entry.score);
            let has_cause = u8::from(entry.reason.item.is_some());
            writer.byte(entry.reason.because.code() << 1 | has_cause);
            if let Some(cause) = &entry.reason.item {
                items.write(cause, writer);
            }
        }
    }

    fn read(reader: &mut Reader<'_>, items: &mut Dictionary) -> Result<Self, DecodeError> {
        let generated_at_ms = reader.signed()?;
        let strategy = *Strategy::ALL.get(usize::from(reader.byte()?)).ok_or(DecodeError::OutOfRange)?;
        let recommendation_id = reader.u64()?;
        let caused_by = reader.text()?.to_owned();
        let count = reader.count(MAX_LIST)?;
        let mut entries = Vec::with_capacity(count);
        for _ in 0..count {
            let item = items.read(reader)?;
            let score = reader.u16()?;
            let because = reader.byte()?;
            let cause = if because & 1 == 1 { Some(items.read(reader)?) } else { None };
            let because = Because::from_code(because >> 1).ok_or(DecodeError::OutOfRange)?;
            entries.push(ListEntry { item, score, reason: Reason { because, item: cause } });
        }
        Ok(Self { entries, generated_at_ms, strategy, recommendation_id, caused_by })
    }
}
