/* Wall clocks as text. Any thread. */
#ifndef IMS_BASE_DATE_H
#define IMS_BASE_DATE_H

#include <stdbool.h>
#include <stddef.h>

enum { DATE_SIZE = 32, ZONE_SIZE = 8 };

/*
 * Reads a date, with or without its time, zone and a fraction of seconds: "2024:05:03 14:05:09",
 * "2024-05-03T14:05+02:00", "2024-05", "2024". date receives "2024-05-03T14:05:09.25", as far as
 * the text goes; zone receives "+02:00", or "" where it is unknown. So dates are in the order of
 * their texts, and a partial one is the beginning of those that it means. False: no date that
 * exists, of the years 1 to 9999.
 */
bool ims_date_parse(const char *text, char date[DATE_SIZE], char zone[ZONE_SIZE]);

/* The same for a zone alone: "Z", "+02:00", "-0330", "+9". */
bool ims_zone_parse(const char *text, char zone[ZONE_SIZE]);

#endif
