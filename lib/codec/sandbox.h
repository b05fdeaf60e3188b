/* Restricts a helper process before it reads untrusted bytes. */
#ifndef IMS_CODEC_SANDBOX_H
#define IMS_CODEC_SANDBOX_H

#include <stdbool.h>
#include <stdint.h>

/* Limits of the process: `memory` bytes beside what libraries take, no core, no file grows. */
void ims_sandbox_limit(uint64_t memory);

/*
 * From here on the process computes, allocates, and reads and writes what is open. Any other call
 * of the system ends it with SIGSYS, but calls that libraries try and can do without (opening a
 * file) just fail. True also where the kernel or the machine has no seccomp. False: seccomp failed.
 */
bool ims_sandbox_lock(void);

#endif
