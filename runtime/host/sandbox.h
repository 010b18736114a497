/*
 * sandbox.h - what is left to a detector once it reads what others wrote.
 */
#ifndef SR_HOST_SANDBOX_H
#define SR_HOST_SANDBOX_H

#include "host/options.h"

typedef struct sr_sandbox {
    bool files; /* only those that the options name can be opened (Landlock) */
    bool calls; /* only system calls that a run needs are left (seccomp) */
} sr_sandbox;

/* From here on, for this process and for good: no file can be opened but those
 * that the options name, and for --follow and --state those beside them; no
 * socket, no other program, no process. To be called before any thread is
 * made. What the kernel cannot do is not done; the result says what was. */
sr_sandbox sr_sandbox_enter(const sr_options *options);

/* Whether this build can be confined: programs under a sanitizer cannot. */
bool sr_sandbox_possible(void);

#endif
