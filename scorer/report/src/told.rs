//! Lines that people read, each with the asset it is about, if it is about one: the page makes a
//! link of it, `why` writes its id.

use pki_inventory::{AssetId, View};

use crate::titles;

/// One line.
pub(crate) struct Told {
    pub(crate) text: String,
    pub(crate) asset: Option<AssetId>,
}

/// Lines under their labels. A label without lines is not shown.
pub(crate) type Rows = Vec<(&'static str, Vec<Told>)>;

impl Told {
    /// A line about nothing that has an id.
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), asset: None }
    }

    /// An asset by its name.
    pub(crate) fn asset(id: AssetId, view: &View<'_>) -> Self {
        Self { text: titles::by_id(id, view), asset: Some(id) }
    }

    /// One line for each text.
    pub(crate) fn texts<T: Into<String>>(texts: impl IntoIterator<Item = T>) -> Vec<Self> {
        texts.into_iter().map(Self::text).collect()
    }
}
