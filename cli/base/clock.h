/* Time that only goes forward. */
#ifndef IMGSEARCH_CLI_CLOCK_H
#define IMGSEARCH_CLI_CLOCK_H

/* Seconds since an unspecified moment. */
double clock_seconds(void);

#endif
