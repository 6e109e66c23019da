//! Quantiles and medians.

/// Returns the value below which `share` of `sorted` lies.
pub(crate) fn quantile(sorted: &[u64], share: f64) -> u64 {
    let at = (sorted.len() as f64 * share) as usize;
    sorted.get(at.min(sorted.len().saturating_sub(1))).copied().unwrap_or(0)
}

/// Returns the median of `of` over the items, to three decimal places.
pub(crate) fn median<T>(items: &[T], of: impl Fn(&T) -> f64) -> f64 {
    let mut values: Vec<u64> = items.iter().map(|item| (of(item) * 1000.0) as u64).collect();
    values.sort_unstable();
    quantile(&values, 0.5) as f64 / 1000.0
}
