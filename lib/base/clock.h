/* The one clock. */
#ifndef IMS_BASE_CLOCK_H
#define IMS_BASE_CLOCK_H

double ims_now(void); /* seconds, monotonic, from an unspecified start */

#endif
