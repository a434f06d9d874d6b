use super::*;

/// A supervisor, its clock and its signs.
struct Bench {
    supervisor: Supervisor,
    start: Instant,
    signs: Signs,
}

impl Bench {
    fn new(presence: DevicePresence) -> Self {
        let start = Instant::now();
        let signs = Signs { presence, callbacks: 0, failed: false };
        Self { supervisor: Supervisor::new(start), start, signs }
    }

    /// With a stream that has been open and flowing for so long.
    fn flowing(until: u64) -> Self {
        let mut bench = Self::new(DevicePresence::There);
        assert_eq!(bench.at(0), Step::Open);
        bench.supervisor.opened(bench.start);
        assert_eq!(bench.flow(0, until), None);
        bench
    }

    fn now(&self, millis: u64) -> Instant {
        self.start + Duration::from_millis(millis)
    }

    fn at(&mut self, millis: u64) -> Step {
        self.supervisor.step(self.now(millis), self.signs)
    }

    /// Steps every 10 ms with a callback each; the first thing that is to be done.
    fn flow(&mut self, from: u64, until: u64) -> Option<Step> {
        (from..until).step_by(10).find_map(|millis| {
            self.signs.callbacks += 1;
            Some(self.at(millis)).filter(|step| *step != Step::Wait)
        })
    }

    /// Steps every 10 ms without callbacks; when something is to be done, and what.
    fn wait(&mut self, from: u64) -> (u64, Step) {
        (from..from + 60_000)
            .step_by(10)
            .map(|millis| (millis, self.at(millis)))
            .find(|(_, step)| *step != Step::Wait)
            .expect("something happens within a minute")
    }
}

#[test]
fn a_device_is_opened_once_it_is_there() {
    let mut bench = Bench::new(DevicePresence::Unknown);
    assert_eq!(bench.at(0), Step::Wait);
    bench.signs.presence = DevicePresence::Gone;
    assert_eq!(bench.at(60_000), Step::Wait);
    bench.signs.presence = DevicePresence::There;
    assert_eq!(bench.at(60_010), Step::Open);
    assert_eq!(bench.at(600_000), Step::Wait, "while it is being opened");
}

#[test]
fn refusals_are_retried_ever_more_slowly() {
    let mut bench = Bench::new(DevicePresence::There);
    let mut now = 0;
    let tries = [0, 500, 1_000, 2_000, 4_000, 5_000, 5_000].map(|pause| {
        let (at, step) = bench.wait(now);
        assert_eq!((at - now, step), (pause, Step::Open));
        now = at;
        bench.supervisor.refused(bench.now(now));
        at
    });
    assert_eq!(tries.last(), Some(&17_500));
}

#[test]
fn a_stream_that_flows_is_left_alone() {
    let mut bench = Bench::flowing(60_000);
    bench.signs.presence = DevicePresence::Unknown;
    assert_eq!(bench.flow(60_000, 120_000), None, "whatever the server is doing");
}

#[test]
fn a_stream_that_stops_flowing_is_closed_after_a_second() {
    assert_eq!(Bench::flowing(5_000).wait(5_000), (6_000, Step::Close(Loss::Stalled)));
}

#[test]
fn a_stream_may_take_two_seconds_to_begin() {
    let mut bench = Bench::flowing(20);
    assert_eq!(bench.at(2_500), Step::Wait);
    assert_eq!(bench.flow(2_500, 4_000), None);
    assert_eq!(Bench::flowing(20).wait(20), (3_020, Step::Close(Loss::Stalled)));
}

#[test]
fn a_stream_on_a_device_that_is_gone_is_closed_though_it_flows() {
    let mut bench = Bench::flowing(5_000);
    bench.signs.presence = DevicePresence::Gone;
    assert_eq!(bench.flow(5_000, 6_000), Some(Step::Close(Loss::Gone)));
    assert_eq!(bench.at(8_000), Step::Wait);
    bench.signs = Signs { presence: DevicePresence::There, callbacks: 0, failed: false };
    assert_eq!(bench.at(8_010), Step::Open);
}

#[test]
fn a_stream_that_failed_is_opened_anew() {
    let mut bench = Bench::flowing(5_000);
    bench.signs.failed = true;
    assert_eq!(bench.at(5_000), Step::Close(Loss::Failed));
    bench.signs.failed = false;
    assert_eq!(bench.wait(5_000), (5_500, Step::Open));
}

#[test]
fn a_device_that_goes_or_fails_while_it_is_opened_is_given_up() {
    for (presence, failed, loss) in
        [(DevicePresence::Gone, false, Loss::Gone), (DevicePresence::There, true, Loss::Failed)]
    {
        let mut bench = Bench::new(DevicePresence::There);
        assert_eq!(bench.at(0), Step::Open);
        bench.signs = Signs { presence, callbacks: 0, failed };
        assert_eq!(bench.at(10), Step::Close(loss));
    }
}

#[test]
fn only_a_stream_that_lasts_makes_up_for_losses() {
    let mut bench = Bench::new(DevicePresence::There);
    let (mut now, _) = bench.wait(0);
    for (lasting, pause) in [(1_000, 500), (1_000, 1_000), (1_000, 2_000), (11_000, 500), (1_000, 1_000)] {
        bench.supervisor.opened(bench.now(now));
        bench.signs.callbacks = 0;
        assert_eq!(bench.flow(now, now + lasting), None);
        now += lasting;
        bench.signs.failed = true;
        assert_eq!(bench.at(now), Step::Close(Loss::Failed));
        bench.signs.failed = false;
        assert_eq!(bench.wait(now), (now + pause, Step::Open));
        now += pause;
    }
}
