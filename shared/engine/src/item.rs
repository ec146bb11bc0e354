//! What an item has learned of its companions.

use crate::ItemId;
use crate::codec::{DecodeError, Reader, Writer};
use crate::decay::{Decayed, Landmark, fade};
use crate::signal::{Direction, Signal};
use crate::watermark::Watermarks;

/// The version of the bytes.
const VERSION: u8 = 1;
/// Most neighbours the bytes may hold, whatever the configuration.
const MAX_NEIGHBOURS: u64 = 1_000;

/// An item's document: bounded neighbours with decayed sums.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Item {
    /// What it was fed.
    pub watermarks: Watermarks,
    pub(crate) landmark: Landmark,
    pub(crate) interest: u64,
    pub(crate) totals: Sums,
    /// Sorted by id.
    pub(crate) neighbours: Vec<Neighbour>,
}

/// The sums of an edge, or of all edges of an item; fixed point at the item's landmark.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sums {
    /// The companion came directly after.
    pub(crate) adjacent: u64,
    /// The companion came after, by 1/distance.
    pub(crate) forward: u64,
    /// The companion came before, by 1/distance.
    pub(crate) backward: u64,
}

/// One companion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Neighbour {
    /// The companion.
    pub item: ItemId,
    pub(crate) sums: Sums,
    /// When it was last seen together, seconds since the epoch.
    pub(crate) last_s: i64,
}

impl Sums {
    fn fade(&mut self, bits: u32) {
        self.adjacent = fade(self.adjacent, bits);
        self.forward = fade(self.forward, bits);
        self.backward = fade(self.backward, bits);
    }

    fn add(&mut self, other: Self) {
        self.adjacent = self.adjacent.saturating_add(other.adjacent);
        self.forward = self.forward.saturating_add(other.forward);
        self.backward = self.backward.saturating_add(other.backward);
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
    /// The companions, sorted by id.
    pub fn neighbours(&self) -> &[Neighbour] {
        &self.neighbours
    }

    /// How much the item itself is wanted.
    pub fn interest(&self) -> Decayed {
        self.landmark.decayed(self.interest)
    }

    /// Learns; false: the watermark covers the signal and nothing changed.
    pub(crate) fn learn(&mut self, signal: &Signal, max_neighbours: usize, half_life_ms: i64) -> bool {
        if self.watermarks.covers(signal.source, signal.offset) {
            return false;
        }
        self.watermarks.advance(signal.source, signal.offset);
        let bits = self.landmark.advance(signal.at_ms, half_life_ms);
        if bits > 0 {
            self.fade(bits);
        }
        let landmark = self.landmark;
        let at = |weight: f32| landmark.contribution(weight, signal.at_ms, half_life_ms);
        self.interest = self.interest.saturating_add(at(signal.interest));
        for edge in &signal.edges {
            let near = at(edge.weight / f32::from(edge.step.max(1)));
            let sums = match edge.direction {
                Direction::Forward => {
                    let adjacent = if edge.step == 1 { near } else { 0 };
                    Sums { adjacent, forward: near, backward: 0 }
                }
                Direction::Backward => Sums { adjacent: 0, forward: 0, backward: near },
            };
            self.totals.add(sums);
            let neighbour = self.neighbour_mut(&edge.other, max_neighbours);
            neighbour.sums.add(sums);
            neighbour.last_s = neighbour.last_s.max(signal.at_ms / 1_000);
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
        let find = |neighbours: &[Neighbour]| neighbours.binary_search_by(|known| known.item.cmp(id));
        let at = match find(&self.neighbours) {
            Ok(at) => at,
            Err(_) => {
                if self.neighbours.len() >= max_neighbours.max(1) {
                    let evidence = |known: &Neighbour| known.sums.forward.saturating_add(known.sums.backward);
                    let least = self.neighbours.iter().enumerate().min_by_key(|(at, known)| (evidence(known), *at));
                    if let Some((least, _)) = least {
                        self.neighbours.remove(least);
                    }
                }
                let at = find(&self.neighbours).unwrap_or_else(|at| at);
                let last_s = i64::MIN;
                self.neighbours.insert(at, Neighbour { item: id.clone(), sums: Sums::default(), last_s });
                at
            }
        };
        &mut self.neighbours[at]
    }

    /// Its bytes; the same model makes the same bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.byte(VERSION);
        self.watermarks.write(&mut writer);
        writer.signed(self.landmark.at_ms);
        writer.unsigned(self.interest);
        self.totals.write(&mut writer);
        writer.unsigned(self.neighbours.len() as u64);
        for neighbour in &self.neighbours {
            writer.text(&neighbour.item);
            neighbour.sums.write(&mut writer);
            writer.signed(neighbour.last_s.wrapping_sub(self.landmark.at_ms / 1_000));
        }
        writer.into_bytes()
    }

    /// Reads its bytes.
    ///
    /// # Errors
    /// They are no item of a version that this program knows.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        match reader.byte()? {
            VERSION => {}
            other => return Err(DecodeError::Version(other)),
        }
        let watermarks = Watermarks::read(&mut reader)?;
        let landmark = Landmark { at_ms: reader.signed()? };
        let interest = reader.unsigned()?;
        let totals = Sums::read(&mut reader)?;
        let count = reader.count(MAX_NEIGHBOURS)?;
        let mut neighbours = Vec::with_capacity(count);
        for _ in 0..count {
            let item = reader.item()?;
            let sums = Sums::read(&mut reader)?;
            let last_s = reader.signed()?.wrapping_add(landmark.at_ms / 1_000);
            neighbours.push(Neighbour { item, sums, last_s });
        }
        reader.end()?;
        if neighbours.windows(2).any(|pair| pair[0].item >= pair[1].item) {
            return Err(DecodeError::OutOfRange);
        }
        Ok(Self { watermarks, landmark, interest, totals, neighbours })
    }
}
