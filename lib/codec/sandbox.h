/* What a helper process gives up before it reads a stranger's bytes. */
#ifndef IMS_CODEC_SANDBOX_H
#define IMS_CODEC_SANDBOX_H

#include <stdbool.h>
#include <stdint.h>

/* Limits of the process: `memory` bytes beside what libraries take, no core, no file grows. */
void ims_sandbox_limit(uint64_t memory);

/*
 * From here on the process computes, allocates, and reads and writes what is open. Any other call
 * of the system ends it with SIGSYS; calls that libraries make in vain on the way (opening a file)
 * fail. True where the kernel or the machine has no seccomp, too. False: it refused.
 */
bool ims_sandbox_lock(void);

#endif
