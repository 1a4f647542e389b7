//! The meters of a model.

use std::{collections::BTreeMap, time::Duration};

use super::{
    Fields, Seen, Subject, Unsupported, first_whole, id, tell, tell_duration, unknown_event,
};
use crate::{
    policy::meter::{Meter, Meters, Reservation, Settings},
    world::Time,
};

struct Metered {
    meters: Meters,
    reservations: BTreeMap<String, Reservation>,
}

pub(super) fn subject(config: &mut Fields) -> Result<Box<dyn Subject>, Unsupported> {
    let settings = Settings {
        requests_per_minute: first_whole(config, &["requests_per_minute", "rpm"])?,
        input_tokens_per_minute: first_whole(config, &["input_tokens_per_minute", "itpm"])?,
        output_tokens_per_minute: first_whole(config, &["output_tokens_per_minute", "otpm"])?,
        tokens_per_minute: first_whole(config, &["tokens_per_minute", "tpm"])?,
    };
    Ok(Box::new(Metered { meters: Meters::new(settings), reservations: BTreeMap::new() }))
}

fn input(step: &mut Fields) -> Result<u64, Unsupported> {
    Ok(first_whole(step, &["input", "input_tokens", "prompt_tokens"])?.unwrap_or(0))
}

fn output(step: &mut Fields) -> Result<Option<u64>, Unsupported> {
    let names = [
        "output",
        "max_output",
        "output_tokens",
        "max_tokens",
        "max_output_tokens",
        "completion_tokens",
    ];
    first_whole(step, &names)
}

impl Metered {
    fn reservation(&mut self, step: &mut Fields) -> Result<Reservation, Unsupported> {
        let id = id(step).unwrap_or_default();
        let unknown = || Unsupported(format!("nothing is reserved as {id:?}"));
        self.reservations.remove(&id).ok_or_else(unknown)
    }

    fn tell_state(&self, now: Time, seen: &mut Seen) {
        for meter in Meter::ALL {
            let Some(reading) = self.meters.reading(now, meter) else { continue };
            let (name, snake) = (meter.as_str(), meter.as_str().replace('-', "_"));
            for (what, value) in [("limit", reading.limit), ("remaining", reading.remaining)] {
                let openai = format!("x-ratelimit-{what}-{name}");
                let anthropic = format!("anthropic-ratelimit-{name}-{what}");
                tell(seen, &[&format!("{snake}_{what}"), &openai, &anthropic], value);
                tell(seen, &[&format!("{what}_{snake}")], value);
            }
            let (full, reset) = (format!("{snake}_full_in"), format!("{snake}_reset"));
            let reversed = format!("reset_{snake}");
            tell_duration(seen, &[&full, &reset, &reversed], Some(reading.full_in));
            tell_duration(seen, &[&format!("{snake}_next_in")], reading.next_in);
        }
    }
}

impl Subject for Metered {
    fn step(&mut self, now: Time, event: &str, step: &mut Fields) -> Result<Seen, Unsupported> {
        let mut seen = Seen::new();
        match event {
            "observe" | "advance" | "tick" | "status" | "reading" => {}
            "reserve" | "request" | "try_reserve" => {
                let (input, output) = (input(step)?, output(step)?.unwrap_or(0));
                let id = id(step).unwrap_or_default();
                let times = first_whole(step, &["times"])?.unwrap_or(1);
                for _ in 0..times {
                    let outcome = self.meters.reserve(now, input, output);
                    let refused = outcome.as_ref().err().copied();
                    let ok = refused.is_none();
                    tell(
                        &mut seen,
                        &["ok", "allowed", "permitted", "accepted", "admitted", "granted"],
                        ok,
                    );
                    tell(&mut seen, &["rejected", "refused", "limited"], !ok);
                    tell(&mut seen, &["status"], if ok { 200 } else { 429 });
                    let meter = refused.map(|refused| refused.meter.as_str().replace('-', "_"));
                    tell(&mut seen, &["meter", "exceeded", "limited_by"], meter);
                    let wait = refused.map_or(Some(Duration::ZERO), |refused| refused.retry_after);
                    tell_duration(&mut seen, &["retry_after", "wait"], wait);
                    if let Ok(reservation) = outcome {
                        self.reservations.insert(id.clone(), reservation);
                    }
                }
            }
            "settle" | "complete" | "finish" => {
                let used_in = first_whole(step, &["input", "input_tokens", "prompt_tokens"])?;
                let used_out = output(step)?.unwrap_or(0);
                let reservation = self.reservation(step)?;
                let used_in = used_in.unwrap_or(reservation.input());
                self.meters.settle(now, reservation, used_in, used_out);
            }
            "release" | "cancel" => {
                let reservation = self.reservation(step)?;
                self.meters.release(now, reservation);
            }
            _ => return Err(unknown_event(event)),
        }
        self.tell_state(now, &mut seen);
        Ok(seen)
    }
}
