//! What an item has learned of its companions.

use crate::codec::{DecodeError, Reader, Writer};
use crate::config::Config;
use crate::decay::{Decayed, Landmark, fade};
use crate::item_id::ItemId;
use crate::signal::{Direction, Signal};
use crate::watermark::Watermarks;

/// The version of the bytes.
const VERSION: u8 = 2;
/// Most neighbours the bytes may hold, whatever the configuration.
const MAX_NEIGHBOURS: u64 = 1_000;

/// Bytes that are set aside before writing: of most documents, and of most companions.
const BYTES: usize = 64;
const BYTES_PER_NEIGHBOUR: usize = 20;

/// An item's document: bounded neighbours with decayed sums.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Item {
    /// What it was fed.
    pub watermarks: Watermarks,
    pub(crate) landmark: Landmark,
    pub(crate) interest: u64,
    /// The interest of the last hours, with a landmark of its own: it fades faster.
    trend_landmark: Landmark,
    trend: u64,
    pub(crate) totals: Totals,
    /// Sorted by the id's key.
    pub(crate) neighbours: Vec<Neighbour>,
}

/// The sums of an edge; fixed point at the item's landmark.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sums {
    /// The companion came directly after.
    pub(crate) adjacent: u32,
    /// The companion came after, by 1/distance.
    pub(crate) forward: u32,
    /// The companion came before, by 1/distance.
    pub(crate) backward: u32,
}

/// The sums of all edges of an item, those that had to go included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) adjacent: u64,
    pub(crate) forward: u64,
    pub(crate) backward: u64,
}

/// One companion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Neighbour {
    /// The companion.
    pub item: ItemId,
    pub(crate) sums: Sums,
    /// When it was last seen together, seconds since the epoch.
    pub(crate) last_s: u32,
}

impl Sums {
    fn fade(&mut self, bits: u32) {
        let fade = |sum: u32| fade(u64::from(sum), bits) as u32;
        *self = Self { adjacent: fade(self.adjacent), forward: fade(self.forward), backward: fade(self.backward) };
    }

    fn add(&mut self, other: Self) {
        self.adjacent = self.adjacent.saturating_add(other.adjacent);
        self.forward = self.forward.saturating_add(other.forward);
        self.backward = self.backward.saturating_add(other.backward);
    }

    /// In both directions.
    pub(crate) fn any(self) -> u64 {
        u64::from(self.forward) + u64::from(self.backward)
    }

    fn write(self, writer: &mut Writer) {
        writer.unsigned(u64::from(self.adjacent));
        writer.unsigned(u64::from(self.forward));
        writer.unsigned(u64::from(self.backward));
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut sum = || u32::try_from(reader.unsigned()?).map_err(|_| DecodeError::OutOfRange);
        Ok(Self { adjacent: sum()?, forward: sum()?, backward: sum()? })
    }
}

impl Totals {
    fn fade(&mut self, bits: u32) {
        self.adjacent = fade(self.adjacent, bits);
        self.forward = fade(self.forward, bits);
        self.backward = fade(self.backward, bits);
    }

    fn add(&mut self, sums: Sums) {
        self.adjacent = self.adjacent.saturating_add(u64::from(sums.adjacent));
        self.forward = self.forward.saturating_add(u64::from(sums.forward));
        self.backward = self.backward.saturating_add(u64::from(sums.backward));
    }

    fn write(self, writer: &mut Writer) {
        writer.unsigned(self.adjacent);
        writer.unsigned(self.forward);
        writer.unsigned(self.backward);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { adjacent: reader.unsigned()?, forward: reader.unsigned()?, backward: reader.unsigned()? })
    }
}

impl Item {
    /// The companions, in the order of their keys.
    pub fn neighbours(&self) -> &[Neighbour] {
        &self.neighbours
    }

    /// How much the item itself is wanted.
    pub fn interest(&self) -> Decayed {
        self.landmark.decayed(self.interest)
    }

    /// How much it was wanted of late.
    pub fn trend(&self) -> Decayed {
        self.trend_landmark.decayed(self.trend)
    }

    /// Learns; false: the watermark covers the signal and nothing changed.
    pub(crate) fn learn(&mut self, signal: &Signal, config: &Config) -> bool {
        if self.watermarks.covers(signal.source, signal.offset) {
            return false;
        }
        self.watermarks.advance(signal.source, signal.offset);
        let bits = self.landmark.advance(signal.at_ms, config.half_life_ms);
        if bits > 0 {
            self.fade(bits);
        }
        let unit = self.landmark.contribution(signal.at_ms, config.half_life_ms);
        if signal.interest > 0.0 {
            self.interest = self.interest.saturating_add(unit.of(signal.interest));
            let bits = self.trend_landmark.advance(signal.at_ms, config.trend_half_life_ms);
            let unit = self.trend_landmark.contribution(signal.at_ms, config.trend_half_life_ms);
            self.trend = fade(self.trend, bits).saturating_add(unit.of(signal.interest));
        }
        let at_s = u32::try_from(signal.at_ms.div_euclid(1_000).max(0)).unwrap_or(u32::MAX);
        for edge in &signal.edges {
            let near = u32::try_from(unit.of(edge.weight / f32::from(edge.step.max(1)))).unwrap_or(u32::MAX);
            let sums = match edge.direction {
                Direction::Forward => {
                    let adjacent = if edge.step == 1 { near } else { 0 };
                    Sums { adjacent, forward: near, backward: 0 }
                }
                Direction::Backward => Sums { adjacent: 0, forward: 0, backward: near },
            };
            self.totals.add(sums);
            let neighbour = self.neighbour_mut(&edge.other, config.neighbours);
            neighbour.sums.add(sums);
            neighbour.last_s = neighbour.last_s.max(at_s);
        }
        true
    }

    fn fade(&mut self, bits: u32) {
        self.interest = fade(self.interest, bits);
        self.totals.fade(bits);
        self.neighbours.iter_mut().for_each(|neighbour| neighbour.sums.fade(bits));
        self.neighbours.retain(|neighbour| neighbour.sums != Sums::default());
    }

    /// The entry of a companion; where there is no room, the one with the least evidence makes it.
    fn neighbour_mut(&mut self, id: &ItemId, max_neighbours: usize) -> &mut Neighbour {
        let find = |neighbours: &[Neighbour]| neighbours.binary_search_by_key(&id.key(), |known| known.item.key());
        let at = match find(&self.neighbours) {
            Ok(at) => at,
            Err(_) => {
                if self.neighbours.len() >= max_neighbours.max(1) {
                    let least = self.neighbours.iter().enumerate().min_by_key(|(at, known)| (known.sums.any(), *at));
                    if let Some((least, _)) = least {
                        self.neighbours.remove(least);
                    }
                }
                let at = find(&self.neighbours).unwrap_or_else(|at| at);
                self.neighbours.insert(at, Neighbour { item: id.clone(), sums: Sums::default(), last_s: 0 });
                at
            }
        };
        &mut self.neighbours[at]
    }

    /// Its bytes; the same model makes the same bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::with_capacity(BYTES + self.neighbours.len() * BYTES_PER_NEIGHBOUR);
        writer.byte(VERSION);
        self.watermarks.write(&mut writer);
        writer.signed(self.landmark.at_ms);
        writer.unsigned(self.interest);
        writer.signed(self.trend_landmark.at_ms);
        writer.unsigned(self.trend);
        self.totals.write(&mut writer);
        writer.unsigned(self.neighbours.len() as u64);
        for neighbour in &self.neighbours {
            writer.text(&neighbour.item);
            neighbour.sums.write(&mut writer);
            writer.signed(i64::from(neighbour.last_s) - self.landmark.at_ms / 1_000);
        }
        writer.into_bytes()
    }

    /// Reads its bytes.
    ///
    /// # Errors
    /// They are no item of a version that this program knows.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        reader.version(VERSION)?;
        let watermarks = Watermarks::read(&mut reader)?;
        let landmark = Landmark { at_ms: reader.signed()? };
        let interest = reader.unsigned()?;
        let trend_landmark = Landmark { at_ms: reader.signed()? };
        let trend = reader.unsigned()?;
        let totals = Totals::read(&mut reader)?;
        let count = reader.count(MAX_NEIGHBOURS)?;
        let mut neighbours = Vec::with_capacity(count);
        for _ in 0..count {
            let item = reader.item()?;
            let sums = Sums::read(&mut reader)?;
            let last_s = reader.signed()?.wrapping_add(landmark.at_ms / 1_000);
            let last_s = u32::try_from(last_s).map_err(|_| DecodeError::OutOfRange)?;
            neighbours.push(Neighbour { item, sums, last_s });
        }
        reader.end()?;
        if neighbours.windows(2).any(|pair| pair[0].item.key() >= pair[1].item.key()) {
            return Err(DecodeError::OutOfRange);
        }
        Ok(Self { watermarks, landmark, interest, trend_landmark, trend, totals, neighbours })
    }
}
