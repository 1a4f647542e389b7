//! Workspaces: their quotas, and the providers they would rather have.

use miette::SourceSpan;

use super::Builder;
use crate::policy::quota::{Settings, Zone};
use crate::scenario::field::At;
use crate::scenario::model::Workspace;
use crate::scenario::raw::{RawQuota, RawWorkspace};
use crate::world::Probability;

impl Builder {
    pub(super) fn workspace(&mut self, raw: RawWorkspace) -> Workspace {
        Workspace {
            name: raw.name.value,
            quota: raw.quota.map(|raw| self.quota(raw)),
            prefer: raw.prefer,
            price_max: self.optional(raw.price_max).map(|price| price.0),
        }
    }

    fn quota(&mut self, At { value: raw, span }: At<RawQuota>) -> Settings {
        let default = Settings::default();
        if raw.tokens_per_day.is_none() && raw.requests_per_day.is_none() {
            let help = "set tokens_per_day or requests_per_day";
            self.error(span, "no limit", "the quota limits nothing", help);
        }
        let critical_span = raw.critical.as_ref().or(raw.warn.as_ref()).map(|raw| raw.span);
        let zone = raw.zone.map_or(default.zone, |raw| self.zone(&raw));
        let settings = Settings {
            tokens_per_day: self.optional(raw.tokens_per_day).map_or(0, |whole| whole.0),
            requests_per_day: self.optional(raw.requests_per_day).map(|whole| whole.0),
            warn_ppm: self.read(raw.warn, Probability::ppm(default.warn_ppm)).as_ppm(),
            critical_ppm: self.read(raw.critical, Probability::ppm(default.critical_ppm)).as_ppm(),
            zone,
        };
        if let Some(span) = critical_span.filter(|_| settings.warn_ppm > settings.critical_ppm) {
            let message = "the warning comes after it is critical";
            self.error(span, "warn above critical", message, "make warn at most critical");
        }
        settings
    }

    fn zone(&mut self, At { value: name, span }: &At<String>) -> Zone {
        match name.parse::<Zone>() {
            Ok(zone) => zone,
            Err(unknown) => {
                let help = match &unknown.suggestion {
                    Some(near) => format!("did you mean \"{near}\"?"),
                    None => "write an IANA name, as in \"Europe/Berlin\", or \"+05:30\"".to_owned(),
                };
                let message = format!("there is no time zone \"{}\"", unknown.name);
                self.error(SourceSpan::clone(span), "unknown time zone", &message, &help);
                Zone::UTC
            }
        }
    }
}
