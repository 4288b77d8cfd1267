//! The notes example: replaced by its own files.
