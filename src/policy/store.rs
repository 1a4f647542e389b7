//! What to do about a store that has a quota, as a browser's has: what goes, and what is told.
//!
//! The newest entry never goes, whatever is written.

/// How a store is kept within its quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How many bytes there are.
    pub quota: u64,
    /// From how many on there is a warning, and the oldest goes.
    pub warn: u64,
    /// Whether anything goes.
    pub cleanup: bool,
}

/// How full a store would be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// There is room.
    Fine,
    /// It is nearly full.
    Near,
    /// There is no room.
    Over,
}

/// What is to be done before something is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// So many of the oldest entries go.
    pub remove: usize,
    /// How full it would be without that.
    pub level: Level,
    /// Whether it then fits.
    pub fits: bool,
}

/// The plan for so many more bytes. `sizes` are those of the entries, the oldest first.
#[must_use]
pub fn plan(sizes: &[u64], more: u64, settings: &Settings) -> Plan {
    let mut bytes = sizes.iter().fold(more, |sum, size| sum.saturating_add(*size));
    let level = match bytes {
        bytes if bytes > settings.quota => Level::Over,
        bytes if bytes >= settings.warn => Level::Near,
        _ => Level::Fine,
    };
    let mut remove = 0;
    if settings.cleanup && level != Level::Fine {
        let oldest = sizes.split_last().map_or(sizes, |(_, oldest)| oldest);
        for size in oldest {
            if bytes < settings.warn {
                break;
            }
            bytes -= size;
            remove += 1;
        }
    }
    Plan { remove, level, fits: bytes <= settings.quota }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: Settings = Settings { quota: 100, warn: 80, cleanup: true };

    fn of(sizes: &[u64], more: u64) -> (usize, Level, bool) {
        let Plan { remove, level, fits } = plan(sizes, more, &SETTINGS);
        (remove, level, fits)
    }

    #[test]
    fn nothing_goes_as_long_as_there_is_room() {
        assert_eq!(of(&[], 79), (0, Level::Fine, true));
        assert_eq!(of(&[20, 20], 39), (0, Level::Fine, true));
    }

    #[test]
    fn the_oldest_go_until_there_is_room_again() {
        assert_eq!(of(&[20, 20], 40), (1, Level::Near, true));
        assert_eq!(of(&[10, 20, 30], 41), (2, Level::Over, true));
        assert_eq!(of(&[30, 30, 10], 60), (2, Level::Over, true));
    }

    #[test]
    fn the_newest_stays_even_if_there_is_no_room_then() {
        assert_eq!(of(&[60], 60), (0, Level::Over, false));
        assert_eq!(of(&[10, 60], 60), (1, Level::Over, false));
        assert_eq!(of(&[], 101), (0, Level::Over, false));
        assert_eq!(of(&[], 100), (0, Level::Near, true));
    }

    #[test]
    fn without_clean_up_nothing_goes() {
        let settings = Settings { cleanup: false, ..SETTINGS };
        let plan = plan(&[50, 45], 10, &settings);
        assert_eq!(plan, Plan { remove: 0, level: Level::Over, fits: false });
    }
}
