/*
 * wall_time.c - see wall_time.h.
 *
 * gmtime_r(3) is not used: it takes a lock of libc, which a forked child may find held. Years begin in March, so that
 * the leap day is the last day.
 */
#include "base/wall_time.h"

#include <stdint.h>
#include <stdio.h>

void wall_time_text(const struct timespec *when, char *buffer, size_t size)
{
    int64_t days = when->tv_sec / 86400 + 719468; /* since 0000-03-01 */
    int64_t second = when->tv_sec % 86400;
    int64_t era = days / 146097;
    unsigned of_era = (unsigned)(days % 146097);
    unsigned year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    unsigned of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    unsigned month = (5 * of_year + 2) / 153; /* 0: March */
    int64_t year = era * 400 + year_of_era + (month >= 10);

    snprintf(buffer, size, "%04d-%02u-%02uT%02d:%02d:%02d.%03ldZ", (int)year,
             month < 10 ? month + 3 : month - 9, of_year - (153 * month + 2) / 5 + 1,
             (int)(second / 3600), (int)(second / 60 % 60), (int)(second % 60),
             when->tv_nsec / 1000000);
}
