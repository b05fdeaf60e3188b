/* Time that only goes forward. */
#ifndef IMGSEARCH_CLI_CLOCK_H
#define IMGSEARCH_CLI_CLOCK_H

/* Seconds since some moment in the past. */
double clock_seconds(void);

#endif
