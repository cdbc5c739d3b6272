/* libempty.c - a preloaded library that does nothing: what the shim is measured against. */
extern const char libempty_is_empty;
const char libempty_is_empty = 1;
