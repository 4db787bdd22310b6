//! Single message transforms and predicates, one file each. None ships yet; a connector that asks for one is
//! refused at validation, because leaving a transform out would silently change the data.
