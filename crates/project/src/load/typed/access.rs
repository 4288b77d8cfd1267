//! Reading one value under one key, with its place.

use std::time::Duration;

use crate::load::scalar;
use crate::{Bytes, Cpus, Node, Spanned, parse_duration};

/// What `read` makes of the text under `key`, with its place.
pub(super) fn value<T>(node: &Node, key: &str, read: impl FnOnce(&str) -> Option<T>) -> Option<Spanned<T>> {
    let node = node.get(key)?;
    Some(Spanned::new(read(node.text()?)?, node.span))
}

pub(super) fn text(node: &Node, key: &str) -> Option<Spanned<String>> {
    value(node, key, |text| Some(text.to_owned()))
}

pub(super) fn plain_text(node: &Node, key: &str) -> Option<String> {
    text(node, key).map(|text| text.value)
}

pub(super) fn boolean(node: &Node, key: &str) -> Option<Spanned<bool>> {
    value(node, key, scalar::boolean)
}

pub(super) fn flag(node: &Node, key: &str) -> bool {
    boolean(node, key).is_some_and(|flag| flag.value)
}

pub(super) fn duration(node: &Node, key: &str) -> Option<Spanned<Duration>> {
    value(node, key, |text| parse_duration(text).ok())
}

pub(super) fn plain_duration(node: &Node, key: &str) -> Option<Duration> {
    duration(node, key).map(|duration| duration.value)
}

pub(super) fn count(node: &Node, key: &str) -> Option<Spanned<u32>> {
    value(node, key, |text| {
        scalar::integer(text)
            .filter(|count| *count >= 0)
            .map(|count| u32::try_from(count).unwrap_or(u32::MAX))
    })
}

pub(super) fn bytes(node: &Node, key: &str) -> Option<Spanned<Bytes>> {
    value(node, key, |text| Bytes::parse(text).ok())
}

pub(super) fn cpus(node: &Node, key: &str) -> Option<Spanned<Cpus>> {
    value(node, key, |text| Cpus::parse(text).ok())
}

/// The texts of a list, each with its place.
pub(super) fn texts(node: &Node, key: &str) -> Vec<Spanned<String>> {
    let items = node.get(key).map(Node::items).unwrap_or_default();
    items.iter().filter_map(|item| Some(Spanned::new(item.text()?.to_owned(), item.span))).collect()
}

/// The texts of a list.
pub(super) fn words(node: &Node) -> Vec<String> {
    node.items().iter().filter_map(|item| item.text().map(str::to_owned)).collect()
}
