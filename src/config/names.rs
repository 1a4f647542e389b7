//! Names: those that are taken, and the nearest to a misspelt one.

/// The node names that a sim cannot give away: those of the stack's own parts.
pub(crate) const RESERVED: [&str; 6] = ["router", "sidecar", "load", "monitor", "auditor", "world"];

/// The longest name that is compared, in bytes.
const COMPARED_MAX: usize = 128;

/// The candidate nearest to `name`, when one is near enough to be what was meant.
pub(crate) fn nearest<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    if name.len() > COMPARED_MAX {
        return None;
    }
    let mut best = None;
    for candidate in candidates {
        let distance = strsim::damerau_levenshtein(name, candidate);
        let contained = name.len() >= 3 && (candidate.contains(name) || name.contains(candidate));
        let near = distance <= 1 + name.chars().count() / 3 || contained;
        if near && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}
