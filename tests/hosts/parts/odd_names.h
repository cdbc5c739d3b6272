/*
 * odd_names.h - names of functions that are longer than a line, or no UTF-8, for the host and the patches
 * that have them.
 */
#ifndef ODD_NAMES_H
#define ODD_NAMES_H

#define TEN "Rust_v0abc"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN
#define THOUSAND HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED

#define LONG_NAME "_RNvCs1_" THOUSAND THOUSAND /* has room in a request */
#define LATIN_NAME "caf\xe9"
#define MIXED_NAME "na\xc3\xafve_\x80\xed\xa0\x80\xff"
/* Has room in no request, and in no manifest: for OBJECT+0xOFFSET. */
#define ENDLESS_NAME "_RNvCs2_" THOUSAND THOUSAND THOUSAND THOUSAND THOUSAND

#endif
