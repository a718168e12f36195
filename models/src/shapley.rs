//! Shapley values: how much each player of a game adds to what all are worth together, averaged over all orders of arrival.
//!
//! Shapley L. "A value for n-person games", 1953. All coalitions are given, nothing is sampled.

/// The effects of the players; with `base` they add up to what all of them together are worth.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Values<const PLAYERS: usize> {
    /// What nobody is worth.
    pub base: f64,
    /// What each player adds.
    pub effects: [f64; PLAYERS],
}

impl<const PLAYERS: usize> Values<PLAYERS> {
    /// Of a game whose coalitions, as bit sets, are worth `worth`, `[2^PLAYERS]`.
    pub(crate) fn of(worth: &[f64]) -> Self {
        let worth_of = |coalition: usize| worth.get(coalition).copied().unwrap_or_default();
        let mut effects = [0.0; PLAYERS];
        for (player, effect) in effects.iter_mut().enumerate() {
            let bit = 1 << player;
            *effect = (0..1 << PLAYERS)
                .filter(|without| without & bit == 0)
                .map(|without: usize| {
                    weight(without.count_ones(), PLAYERS as u32) * (worth_of(without | bit) - worth_of(without))
                })
                .sum();
        }
        Self {
            base: worth_of(0),
            effects,
        }
    }

    /// What all are worth together.
    pub(crate) fn whole(&self) -> f64 {
        self.base + self.effects.iter().sum::<f64>()
    }
}

/// Share of the orders of arrival in which exactly the `before` players of a coalition come before another: `s! (n-1-s)! / n!`.
fn weight(before: u32, players: u32) -> f64 {
    let factorial = |n: u32| (1..=n).map(f64::from).product::<f64>();
    factorial(before) * factorial(players - 1 - before) / factorial(players)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_a_game_that_adds_every_player_gets_what_it_adds() {
        let adds = [0.1, -0.2, 0.3, 0.0, 0.05, 0.4, -0.1];
        let worth: Vec<f64> = (0..1 << 7)
            .map(|c| 0.2 + (0..7).filter(|i| c & (1 << i) != 0).map(|i| adds[i]).sum::<f64>())
            .collect();
        let found = Values::<7>::of(&worth);
        assert!((found.base - 0.2).abs() < 1e-12);
        for (found, add) in found.effects.iter().zip(adds) {
            assert!((found - add).abs() < 1e-12, "{found} {add}");
        }
        assert!((found.whole() - worth[127]).abs() < 1e-12);
    }

    #[test]
    fn two_players_that_win_only_together_share_and_an_idle_one_gets_nothing() {
        let together = |c: usize| if c & 0b11 == 0b11 { 1.0 } else { 0.0 };
        let found = Values::<8>::of(&(0..1 << 8).map(together).collect::<Vec<f64>>());
        assert!((found.effects[0] - 0.5).abs() < 1e-12 && (found.effects[1] - 0.5).abs() < 1e-12);
        assert!(found.effects[2..].iter().all(|effect| effect.abs() < 1e-12));
    }
}
