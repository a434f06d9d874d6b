//! Which layer of each track a viewer is sent, so that all of it fits its way: a pure decision, made anew several times a
//! second.
//!
//! The lowest layer for all comes before a better one for any, in the order of the viewer's own wishes; then each in turn
//! gets one more step, for as long as there is something left. What somebody has is kept for a little more than it should
//! cost, so that no picture goes up and down with every wobble of the estimate.

/// What is kept may cost so much more of the budget than what is new, in percent.
const KEPT_FOR: u64 = 115;

/// A slot of a viewer, and what there is for it.
#[derive(Debug, Clone)]
pub(super) struct Request {
    /// Bits a second of each layer that would do, the lowest first; none above what the tile can show.
    pub(super) ladder: Vec<u64>,
    /// Step that it has now.
    pub(super) current: Option<usize>,
}

/// What was decided.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Allocation {
    /// Step of each ladder; `None`: no picture.
    pub(super) steps: Vec<Option<usize>>,
    /// Bits a second of all that is sent.
    pub(super) used: u64,
    /// Bits a second with the cheapest next step, or of all that is sent where there is none: what would be of use.
    pub(super) next: u64,
    /// Bits a second of all that is wanted.
    pub(super) desired: u64,
}

/// Shares a budget out, in bits a second.
pub(super) fn allocate(budget: u64, requests: &[Request]) -> Allocation {
    let mut sharing = Sharing { budget, used: 0, steps: vec![None; requests.len()] };
    for (index, request) in requests.iter().enumerate() {
        sharing.raise(index, request);
    }
    // One step each, in turn, until nobody can have another one.
    while (0..requests.len()).fold(false, |raised, index| {
        let has_picture = sharing.steps[index].is_some();
        (has_picture && sharing.raise(index, &requests[index])) || raised
    }) {}
    let Sharing { used, steps, .. } = sharing;
    let cheapest = requests.iter().zip(&steps).filter_map(|(request, step)| request.cost_of_next(*step)).min();
    let desired = requests.iter().filter_map(|request| request.ladder.last()).sum();
    Allocation { steps, used, next: used + cheapest.unwrap_or(0), desired }
}

impl Request {
    /// Bits a second that one step more would add.
    fn cost_of_next(&self, step: Option<usize>) -> Option<u64> {
        let next = *self.ladder.get(step.map_or(0, |step| step + 1))?;
        Some(next.saturating_sub(step.map_or(0, |step| self.ladder[step])))
    }
}

struct Sharing {
    budget: u64,
    used: u64,
    steps: Vec<Option<usize>>,
}

impl Sharing {
    /// Gives one more step, if it fits. False: it does not, or there is none.
    fn raise(&mut self, index: usize, request: &Request) -> bool {
        let step = self.steps[index];
        let Some(cost) = request.cost_of_next(step) else { return false };
        let next = step.map_or(0, |step| step + 1);
        let is_kept = request.current.is_some_and(|current| current >= next);
        let budget = if is_kept { self.budget * KEPT_FOR / 100 } else { self.budget };
        if self.used + cost > budget {
            return false;
        }
        self.used += cost;
        self.steps[index] = Some(next);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LADDER: [u64; 3] = [150, 500, 1_500];

    fn tiles(count: usize) -> Vec<Request> {
        vec![Request { ladder: LADDER.to_vec(), current: None }; count]
    }

    fn steps(budget: u64, requests: &[Request]) -> Vec<Option<usize>> {
        allocate(budget, requests).steps
    }

    #[test]
    fn with_room_for_all_everybody_is_sent_at_their_best() {
        assert_eq!(steps(10_000, &tiles(5)), [Some(2); 5]);
    }

    #[test]
    fn everybody_is_seen_before_anybody_is_seen_better() {
        assert_eq!(steps(150 * 5, &tiles(5)), [Some(0); 5]);
        assert_eq!(steps(150 * 5 + 350, &tiles(5)), [Some(1), Some(0), Some(0), Some(0), Some(0)]);
        assert_eq!(steps(500 * 5 + 1_000, &tiles(5)), [Some(2), Some(1), Some(1), Some(1), Some(1)]);
    }

    #[test]
    fn who_is_wanted_most_is_seen_longest() {
        assert_eq!(steps(320, &tiles(5)), [Some(0), Some(0), None, None, None]);
        assert_eq!(steps(149, &tiles(5)), [None; 5]);
    }

    #[test]
    fn a_small_tile_leaves_room_for_the_others() {
        let mut requests = tiles(2);
        requests[0].ladder.truncate(1);
        assert_eq!(steps(1_650, &requests), [Some(0), Some(2)]);
    }

    #[test]
    fn what_one_has_is_kept_through_a_wobble_and_not_through_more() {
        let mut requests = tiles(1);
        requests[0].current = Some(2);
        assert_eq!(steps(1_310, &requests), [Some(2)]);
        assert_eq!(steps(1_300, &requests), [Some(1)]);
        assert_eq!(steps(1_310, &tiles(1)), [Some(1)], "new, it would have to fit");
    }

    #[test]
    fn it_says_what_more_would_be_of_use() {
        let one = allocate(600, &tiles(2));
        assert_eq!((one.used, one.next, one.desired), (300, 650, 3_000));
        let none = allocate(100, &tiles(2));
        assert_eq!((none.used, none.next), (0, 150));
        let all = allocate(9_000, &tiles(2));
        assert_eq!((all.used, all.next), (3_000, 3_000));
    }

    #[test]
    fn a_track_of_which_nothing_is_sent_takes_nothing() {
        let mut requests = tiles(2);
        requests[0].ladder.clear();
        assert_eq!(steps(1_500, &requests), [None, Some(2)]);
    }
}
