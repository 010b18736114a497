/*
 * cpu.h - what the processor can do, as the C library found out when the
 * program began. To ask the processor once more is slow where it is a virtual
 * one: each question goes to the hypervisor.
 */
#ifndef SR_CPU_H
#define SR_CPU_H

#include <features.h>

/* Whether the feature is there and may be used; it has two names, that of the C
 * library and that of the C compiler. */
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 33)
#include <sys/platform/x86.h>
#define SR_CPU_HAS(library, compiler) (CPU_FEATURE_ACTIVE(library) != 0)
#else
#define SR_CPU_HAS(library, compiler) (__builtin_cpu_supports(compiler) != 0)
#endif

#endif
