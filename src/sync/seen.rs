//! Which records a read has seen: a set of dense ids, a bit each, and its packed form for pages.

/// A set of record ids; a million of them take 125 kB.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    words: Vec<u64>,
    count: u64,
}

impl Seen {
    /// Adds an id; whether it is new.
    pub fn add(&mut self, id: i64) -> bool {
        let (word, bit) = place(id);
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        let new = self.words[word] & bit == 0;
        self.words[word] |= bit;
        self.count += u64::from(new);
        new
    }

    /// Whether the id is in it.
    pub fn has(&self, id: i64) -> bool {
        let (word, bit) = place(id);
        self.words.get(word).is_some_and(|w| w & bit != 0)
    }

    /// How many ids are in it.
    pub fn len(&self) -> u64 {
        self.count
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The ids in it, ascending.
    pub fn ids(&self) -> Vec<i64> {
        let mut ids = Vec::with_capacity(usize::try_from(self.count).unwrap_or(0));
        for (at, word) in (0_i64..).zip(&self.words) {
            let mut left = *word;
            while left != 0 {
                ids.push(at * 64 + i64::from(left.trailing_zeros()));
                left &= left - 1;
            }
        }
        ids
    }

    /// Adds every id of a packed list.
    pub fn add_packed(&mut self, packed: &[u8]) {
        for id in unpack(packed) {
            self.add(id);
        }
    }
}

fn place(id: i64) -> (usize, u64) {
    let id = id.unsigned_abs();
    ((id / 64) as usize, 1 << (id % 64))
}

/// Packs ids: sorted, each as the distance to the one before, seven bits a byte. Ids of one page
/// lie close together, so most take one byte.
pub fn pack(mut ids: Vec<i64>) -> Vec<u8> {
    ids.sort_unstable();
    ids.dedup();
    let mut packed = Vec::with_capacity(ids.len() * 2);
    let mut last = 0;
    for id in ids {
        let mut distance = id.abs_diff(last);
        last = id;
        while distance >= 0x80 {
            packed.push((distance & 0x7f) as u8 | 0x80);
            distance >>= 7;
        }
        packed.push(distance as u8);
    }
    packed
}

/// The ids of a packed list, ascending.
pub fn unpack(packed: &[u8]) -> Vec<i64> {
    let mut ids = Vec::with_capacity(packed.len());
    let (mut last, mut distance, mut shift) = (0_i64, 0_u64, 0);
    for byte in packed {
        distance |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            last = last.wrapping_add_unsigned(distance);
            ids.push(last);
            (distance, shift) = (0, 0);
        } else {
            shift = (shift + 7).min(63);
        }
    }
    ids
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn packs_and_unpacks(ids in prop::collection::vec(1_i64..10_000_000_000, 0..300)) {
            let mut expected = ids.clone();
            expected.sort_unstable();
            expected.dedup();
            prop_assert_eq!(unpack(&pack(ids)), expected);
        }

        #[test]
        fn counts_each_once(ids in prop::collection::vec(1_i64..5_000, 0..300)) {
            let mut seen = Seen::default();
            let new = ids.iter().filter(|id| seen.add(**id)).count();
            prop_assert_eq!(seen.len(), new as u64);
            prop_assert!(ids.iter().all(|id| seen.has(*id)));
            let expected: std::collections::BTreeSet<i64> = ids.into_iter().collect();
            prop_assert_eq!(seen.ids(), expected.into_iter().collect::<Vec<i64>>());
        }
    }
}
