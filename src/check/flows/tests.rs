//! Every check on the flows can fail: each is fed a clean history, and one in which it is broken.

use std::{collections::BTreeMap, rc::Rc};

use super::*;
use crate::world::{MessageInfo, MessageKind};

const SECOND: u64 = 1_000_000_000;

/// The checks, and the history they are fed. Times are in seconds.
struct Fed(Flows, Faces);

/// What the cards of the task show.
type Faces = BTreeMap<&'static str, &'static str>;

impl Fed {
    fn new() -> Fed {
        Fed::losing([])
    }

    /// The plan takes the disks of these nodes away.
    fn losing<const N: usize>(disks: [&str; N]) -> Fed {
        let flows = Flows::of(Setting {
            lost_disks: disks.map(str::to_owned).into(),
            has_dashboard: true,
            expires_after: 100 * SECOND,
            looks_every: SECOND,
            store: 10,
            longest: None,
        });
        Fed(flows, Faces::new())
    }

    fn see(mut self, secs: u64, event: FlowEvent) -> Fed {
        self.0.see(at(secs * SECOND), &event);
        self
    }

    fn hear(mut self, secs: u64, node: &str, what: Happening<'_>) -> Fed {
        self.0.hear(&Sighting { seq: 1, at: at(secs * SECOND), node, cause: 0, what });
        self
    }

    fn crash(mut self, secs: u64, node: &str) -> Fed {
        if node == DASHBOARD {
            self.1.clear();
        }
        self.hear(secs, node, Happening::NodeCrashed { incarnation: 0 })
    }

    fn restart(self, secs: u64, node: &str) -> Fed {
        self.hear(secs, node, Happening::NodeStarted { incarnation: 1 })
    }

    fn reported(self, secs: u64, percent: u8, status: &'static str) -> Fed {
        self.see(secs, FlowEvent::ProgressReported { task: task(), percent, status })
    }

    /// The dashboard was told, and its cards show it.
    fn shown(self, secs: u64, percent: u8, status: &'static str) -> Fed {
        let progress = match (status, percent) {
            ("error", _) => "error",
            (_, 0) => "0",
            (_, 100) => "100",
            _ => "50",
        };
        let cards = [("TaskCard", status), ("ProgressIndicator", progress)];
        let told = self.told(secs, percent, status);
        cards.into_iter().fold(told, |mut fed, (widget, shows)| {
            let before = fed.1.insert(widget, shows);
            if before == Some(shows) {
                return fed;
            }
            let from = if before.is_some() { "updated" } else { "loading" };
            let (of, to) = (task(), "updated");
            fed.see(secs, FlowEvent::WidgetChanged { widget, of, from, to, shows })
        })
    }

    /// The dashboard was told.
    fn told(self, secs: u64, percent: u8, status: &'static str) -> Fed {
        self.see(secs, FlowEvent::ProgressShown { task: task(), percent, status })
    }

    fn submitted(self, secs: u64) -> Fed {
        self.see(secs, FlowEvent::ApprovalSubmitted { task: task() })
    }

    fn decided(self, secs: u64, decision: &'static str) -> Fed {
        self.see(secs, FlowEvent::ApprovalDecided { task: task(), decision, by: "eve".into() })
    }

    fn expired(self, secs: u64) -> Fed {
        self.see(secs, FlowEvent::ApprovalExpired { task: task() })
    }

    fn widget(
        self,
        widget: &'static str,
        from: &'static str,
        to: &'static str,
        shows: &'static str,
    ) -> Fed {
        self.see(1, FlowEvent::WidgetChanged { widget, of: task(), from, to, shows })
    }

    fn asked(self, secs: u64, version: u64) -> Fed {
        self.see(secs, FlowEvent::SaveAsked { version, bytes: 1 })
    }

    fn saved(self, secs: u64, version: u64, used: u64) -> Fed {
        let (bytes, quota, compact) = (1, 10, false);
        self.see(secs, FlowEvent::StoreSaved { version, bytes, used, quota, compact })
    }

    fn loaded(self, secs: u64, version: u64) -> Fed {
        self.see(secs, FlowEvent::StoreLoaded { version, entries: 1 })
    }

    /// The run ended, idle or at its limit: how often each check was evaluated, and why it fails.
    fn end(mut self, secs: u64, is_idle: bool) -> BTreeMap<&'static str, (u64, Option<String>)> {
        (self.0.trouble.end, self.0.trouble.is_idle) = (secs * SECOND, is_idle);
        let told = self.0.close().into_iter();
        told.map(|(name, built)| (name, (built.evaluated(), built.failure().map(str::to_owned))))
            .collect()
    }

    /// Nothing fails, and this check was evaluated.
    #[track_caller]
    fn holds(self, check: &str) {
        let told = self.end(300, false);
        assert!(told[check].0 > 0, "{check} was not evaluated");
        let failed: Vec<_> = told.iter().filter(|(_, (_, failure))| failure.is_some()).collect();
        assert!(failed.is_empty(), "{failed:?}");
    }

    #[track_caller]
    fn fails(self, check: &str, why: &str) {
        let told = self.end(300, false);
        let failure = told[check].1.as_deref().unwrap_or("it holds");
        assert!(failure.contains(why), "{failure}");
    }
}

fn task() -> Rc<str> {
    "runner-1/1".into()
}

fn reported() -> Fed {
    let all = [(0, "active"), (50, "active"), (100, "active"), (100, "completed")];
    all.into_iter().fold(Fed::new(), |fed, (percent, status)| fed.reported(1, percent, status))
}

#[test]
fn progress_is_shown_in_order_and_whole() {
    let half = || reported().shown(2, 0, "active").shown(3, 50, "active");
    half().shown(4, 100, "active").shown(5, 100, "completed").holds(PROGRESS);
    half().fails(PROGRESS, "at 100 % active, 1.000s: it was never shown");
    half().shown(4, 100, "completed").fails(PROGRESS, "before it was not shown");
    half().shown(4, 50, "active").fails(PROGRESS, "not reported, or shown before");
    half().shown(4, 70, "active").fails(PROGRESS, "not reported");
    // What is late is missed only after a while without trouble, or when nothing is left to happen.
    let message = MessageInfo::new(7, MessageKind::OneWay, "Told", "runner-1", "dashboard");
    let drop = Happening::MessageDropped { message, cause: crate::world::DropCause::Lost };
    assert_eq!(half().end(60, false)[PROGRESS].1, None);
    assert_eq!(half().hear(250, "runner-1", drop).end(300, false)[PROGRESS].1, None);
    assert!(half().hear(250, "runner-1", drop).end(300, true)[PROGRESS].1.is_some());
    assert_eq!(half().crash(100, "dashboard").end(300, true)[PROGRESS].1, None, "it is down");
}

#[test]
fn a_page_that_is_loaded_again_may_show_again_but_leaves_nothing_out() {
    let half = || {
        let half = reported().shown(2, 0, "active").shown(3, 50, "active");
        half.crash(4, "dashboard").restart(5, "dashboard")
    };
    let rest = |fed: Fed| fed.shown(7, 100, "active").shown(8, 100, "completed");
    rest(half()).holds(PROGRESS);
    rest(half().shown(6, 50, "active")).holds(PROGRESS);
    rest(half().shown(6, 0, "active")).fails(PROGRESS, "before it was not shown");
    half().shown(7, 100, "completed").fails(PROGRESS, "before it was not shown");
}

#[test]
fn what_is_reported_goes_on_and_ends() {
    let fails = |fed: Fed| fed.fails(PROGRESS, "does not follow");
    fails(Fed::new().reported(1, 50, "active"));
    fails(Fed::new().reported(1, 0, "active").reported(2, 100, "active"));
    fails(Fed::new().reported(1, 0, "active").reported(2, 0, "active"));
    fails(reported().reported(2, 0, "active"));
    let open = || Fed::new().reported(1, 0, "active").shown(2, 0, "active");
    let never = open().end(300, true)[PROGRESS].1.clone();
    assert!(never.is_some_and(|why| why.contains("never came to an end")));
    assert_eq!(open().end(300, false)[PROGRESS].1, None, "it is still being done");
    assert_eq!(open().crash(3, "runner-1").end(300, true)[PROGRESS].1, None);
    // One whose time is bounded ends also in a run that goes on.
    let bounded = |end| {
        let mut fed = open();
        fed.0.setting.longest = Some(100 * SECOND);
        fed.end(end, false)[PROGRESS].1.clone()
    };
    assert_eq!(bounded(161), None);
    assert!(bounded(162).is_some_and(|why| why.contains("never came to an end")));
    let lost = Fed::losing(["runner-1"]).reported(1, 50, "active");
    assert_eq!(lost.end(300, false)[PROGRESS].0, 0);
}

fn waiting() -> Fed {
    Fed::new().reported(1, 0, "pending").shown(1, 0, "pending").submitted(2)
}

#[test]
fn an_approval_is_decided_once_or_expires() {
    waiting().decided(9, "approved").reported(9, 0, "active").shown(9, 0, "active").holds(DECIDED);
    let fails = |fed: Fed, why: &str| fed.fails(DECIDED, why);
    fails(waiting().decided(9, "approved").decided(10, "approved"), "approved already");
    fails(waiting().expired(102).decided(103, "approved"), "expired already");
    fails(waiting().decided(9, "rejected").expired(102), "rejected already");
    fails(waiting().decided(200, "approved"), "should have expired");
    fails(Fed::new().decided(9, "approved"), "nobody had submitted it");
    fails(waiting().submitted(9), "submitted again");
    // It may be decided for as long as it was promised.
    fails(waiting().expired(95), "it could be decided until 102.000s");
    assert_eq!(waiting().expired(96).end(300, false)[DECIDED].1, None, "a clock may run fast");
    // It does not wait for ever, unless the queue cannot do anything about it.
    fails(waiting(), "submitted at 2.000s, was neither decided nor expired");
    assert_eq!(waiting().end(160, false)[DECIDED].1, None, "it has time");
    assert_eq!(
        waiting().hear(9, "approvals", Happening::NodePaused).end(300, false)[DECIDED].1,
        None
    );
    let polled = |label| {
        let message = MessageInfo::new(7, MessageKind::Call, label, "runner-1", "approvals");
        waiting().hear(290, "runner-1", Happening::CallTimedOut { message }).end(300, false)
    };
    assert!(polled("Submit")[DECIDED].1.is_some(), "who waits for a decision asks again");
    assert_eq!(polled("Look")[DECIDED].1, None);
    let lost = Fed::losing(["approvals"]).submitted(2).submitted(9);
    assert_eq!(lost.end(300, false)[DECIDED].0, 0);
}

#[test]
fn a_task_does_what_was_decided_and_nothing_before() {
    let go_on = |fed: Fed, status| fed.reported(20, 0, status).shown(20, 0, status);
    go_on(waiting().decided(9, "approved"), "active").holds(WAITS);
    go_on(waiting().decided(9, "rejected"), "error").holds(WAITS);
    go_on(waiting().expired(102), "error").holds(WAITS);
    go_on(waiting(), "active").fails(WAITS, "is active at 20.000s, and not decided");
    go_on(waiting(), "error").fails(WAITS, "not decided");
    go_on(waiting().decided(9, "rejected"), "active").fails(WAITS, "and rejected");
    go_on(waiting().decided(9, "approved"), "error").fails(WAITS, "and approved");
    waiting().decided(9, "approved").fails(WAITS, "its task still waits");
    assert_eq!(waiting().decided(9, "approved").end(60, false)[WAITS].1, None, "it has time");
    let alone = || Fed::new().reported(1, 0, "pending").shown(1, 0, "pending");
    alone().fails(WAITS, "runner-1/1 never submitted, and its task still waits");
}

#[test]
fn a_widget_changes_as_it_may() {
    // Of a runner that has lost its disk nobody knows what is true; how a card changes is known.
    let new = || Fed::losing(["runner-1", "approvals"]);
    let loaded = || new().widget("TaskCard", "loading", "updated", "pending");
    loaded()
        .widget("TaskCard", "updated", "updated", "active")
        .widget("TaskCard", "updated", "stale", "active")
        .widget("TaskCard", "stale", "error", "active")
        .widget("TaskCard", "error", "recovered", "active")
        .widget("TaskCard", "recovered", "updated", "completed")
        .holds(WIDGETS);
    let fails = |from, to, shows, why: &str| {
        loaded().widget("TaskCard", from, to, shows).fails(WIDGETS, why);
    };
    fails("stale", "updated", "active", "it was updated");
    fails("updated", "updated", "pending", "nothing has changed");
    fails("updated", "recovered", "pending", "that may not follow");
    fails("updated", "loading", "pending", "that may not follow");
    let error = || loaded().widget("TaskCard", "updated", "error", "pending");
    error().widget("TaskCard", "error", "updated", "active").fails(WIDGETS, "may not follow");
    // What is over stays over, and progress goes one way.
    let done = new().widget("ProgressIndicator", "loading", "updated", "50");
    done.widget("ProgressIndicator", "updated", "updated", "0").fails(WIDGETS, "it showed 50");
    let done = new().widget("ApprovalCard", "loading", "updated", "approved");
    done.widget("ApprovalCard", "updated", "updated", "rejected").fails(WIDGETS, "it showed app");
    loaded().crash(2, "dashboard").widget("TaskCard", "loading", "stale", "active").holds(WIDGETS);
}

#[test]
fn a_card_shows_what_was_told() {
    let begun = || Fed::new().reported(1, 0, "active");
    begun()
        .told(1, 0, "active")
        .fails(WIDGETS, "TaskCard of runner-1/1 shows nothing after 1.000s");
    // The task has failed.
    let failed = || begun().shown(1, 0, "active").reported(2, 0, "error").told(2, 0, "error");
    let change = |fed: Fed, widget, shows| fed.widget(widget, "updated", "updated", shows);
    let told = || change(failed(), "TaskCard", "error");
    change(told(), "ProgressIndicator", "error").holds(WIDGETS);
    told().fails(WIDGETS, "ProgressIndicator of runner-1/1 shows 0 after 2.000s, when error was");
    change(failed(), "TaskCard", "completed")
        .fails(WIDGETS, "TaskCard of runner-1/1 shows completed");
    change(told(), "ProgressIndicator", "100").fails(WIDGETS, "runner-1/1 shows 100 at 1.000s");
    // A page that is loaded again shows what it has kept, and nothing else.
    let kept = |status| {
        let loaded = begun().shown(1, 0, "active").crash(2, "dashboard").restart(3, "dashboard");
        loaded.widget("TaskCard", "loading", "stale", status)
    };
    assert_eq!(kept("active").end(300, false)[WIDGETS].1, None);
    kept("completed").fails(WIDGETS, "shows completed at 1.000s, which nobody told");
}

#[test]
fn a_card_shows_how_an_approval_ended() {
    let card = |fed: Fed, from, shows| fed.widget("ApprovalCard", from, "updated", shows);
    let asked = || card(waiting(), "loading", "pending");
    let rejected = || asked().decided(9, "rejected");
    assert_eq!(card(rejected(), "updated", "rejected").end(300, false)[WIDGETS].1, None);
    card(rejected(), "updated", "approved").fails(WIDGETS, "shows approved at 1.000s, which");
    card(asked(), "updated", "expired").fails(WIDGETS, "shows expired at 1.000s, which nobody");
    rejected().fails(WIDGETS, "ApprovalCard of runner-1/1 never showed rejected, since 9.000s");
    assert_eq!(rejected().end(60, false)[WIDGETS].1, None, "it has time");
    let alone = rejected().crash(10, "dashboard").end(300, false)[WIDGETS].1.clone();
    assert_eq!(alone, None, "nobody looks");
}

#[test]
fn the_newest_state_is_kept_and_read() {
    let kept = || Fed::new().loaded(0, 0).asked(1, 1).saved(1, 1, 10).asked(2, 2).saved(2, 2, 10);
    kept().crash(3, "dashboard").restart(4, "dashboard").loaded(4, 2).holds(NEWEST);
    kept().crash(3, "dashboard").loaded(4, 1).fails(NEWEST, "version 2 was kept, and 1 read");
    kept().asked(5, 3).saved(5, 3, 11).fails(NEWEST, "11 bytes of 10");
    let other = FlowEvent::StoreSaved { version: 3, bytes: 1, used: 1, quota: 11, compact: false };
    kept().asked(5, 3).see(5, other).fails(NEWEST, "said to hold 11 at 5.000s; it is 10");
    kept().saved(5, 2, 1).fails(NEWEST, "version 2 after version 2");
    kept().asked(5, 3).fails(NEWEST, "version 3, asked for at 5.000s, is not kept");
    kept().asked(5, 3).asked(16, 3).saved(16, 3, 1).fails(NEWEST, "is not kept at 16.000s");
    kept().asked(5, 3).crash(6, "dashboard").holds(NEWEST);
    assert_eq!(kept().asked(295, 3).end(300, false)[NEWEST].1, None, "it has time");
    let full = Happening::DiskFailed { cause: "full" };
    kept().asked(5, 3).hear(12, "dashboard", full).asked(16, 3).saved(16, 3, 1).holds(NEWEST);
    let paused = kept().asked(5, 3).hear(6, "dashboard", Happening::NodePaused);
    let resumed = paused.hear(30, "dashboard", Happening::NodeResumed);
    resumed.asked(30, 3).saved(31, 3, 1).holds(NEWEST);
    let lost = Fed::losing(["dashboard"]).asked(1, 1).saved(1, 1, 1);
    lost.crash(2, "dashboard").loaded(3, 0).asked(4, 1).saved(4, 1, 1).holds(NEWEST);
}
