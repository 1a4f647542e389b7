//! Other settings for a breaker that is in use.

use std::rc::Rc;

use crate::{
    policy::window::{Shape, Window},
    world::Time,
};

use super::{Breaker, Settings, State};

impl Breaker {
    /// Goes on under other settings, as it is.
    ///
    /// - What was due by now under the old ones happens first.
    /// - The state stays, and so does the end of a wait that has begun: whoever was refused may have
    ///   been told of it. The new wait is for the next opening.
    /// - What was counted stays, and the new rule is asked at the next outcome, not now: a lower
    ///   threshold opens nothing by itself.
    /// - Permits stay good, and count against the new number of them.
    /// - A window of another shape starts empty. If it is the one that counts, calls under way are
    ///   late and their permits are free, as after [`abandon`](Breaker::abandon).
    /// - A half-open breaker whose new settings know no such state closes: its wait was over.
    pub fn reconfigure(&mut self, now: Time, settings: Rc<Settings>) {
        self.poll(now);
        self.settings = settings;
        let traffic = keep(&mut self.it.window, self.settings.window);
        let probes = keep(&mut self.it.probes, self.settings.probes_window());
        if !(if self.it.probing { probes } else { traffic }) {
            self.abandon();
        }
        if self.it.state == State::HalfOpen && self.settings.half_open.is_none() {
            self.enter(State::Closed, now);
        }
    }
}

/// Makes a window have this shape; whether it had, and keeps what is in it.
fn keep(window: &mut Window, shape: Shape) -> bool {
    let fits = window.fits(shape);
    if !fits {
        *window = Window::new(shape);
    }
    fits
}
