//! Outlier detection, as Envoy does it: hosts that keep failing are ejected for a while.
