//! The external systems as servers, for rehearsals and tests.
