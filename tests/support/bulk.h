/* bulk.h - names of 256 functions, bulk_00 to bulk_ff: BULK(ONE) is ONE(00) ONE(01) ... */
/* clang-format does not terminate with these macros. */
/* clang-format off */
#define BULK_ROW(one, h) \
    one(h##0) one(h##1) one(h##2) one(h##3) one(h##4) one(h##5) one(h##6) one(h##7) \
    one(h##8) one(h##9) one(h##a) one(h##b) one(h##c) one(h##d) one(h##e) one(h##f)
#define BULK(one) \
    BULK_ROW(one, 0) BULK_ROW(one, 1) BULK_ROW(one, 2) BULK_ROW(one, 3) \
    BULK_ROW(one, 4) BULK_ROW(one, 5) BULK_ROW(one, 6) BULK_ROW(one, 7) \
    BULK_ROW(one, 8) BULK_ROW(one, 9) BULK_ROW(one, a) BULK_ROW(one, b) \
    BULK_ROW(one, c) BULK_ROW(one, d) BULK_ROW(one, e) BULK_ROW(one, f)
/* clang-format on */
