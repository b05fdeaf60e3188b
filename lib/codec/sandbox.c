#include "codec/sandbox.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
enum { INSTRUMENTED = 1 }; /* the sanitizer reserves terabytes, and makes other calls */
#else
enum { INSTRUMENTED = 0 };
#endif

static void limit(int what, uint64_t most)
{
	struct rlimit r;
	if (getrlimit((__rlimit_resource_t)what, &r) == 0 && most < r.rlim_max) {
		r.rlim_cur = r.rlim_max = most;
		setrlimit((__rlimit_resource_t)what, &r);
	}
}

void ims_sandbox_limit(uint64_t memory)
{
	enum { LIBRARIES = 1 << 30 }; /* addresses of code, and of the stacks of threads */
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_FSIZE, 0);
	if (!INSTRUMENTED)
		limit(RLIMIT_AS, memory + LIBRARIES);
}

#if defined __x86_64__
#define MACHINE AUDIT_ARCH_X86_64
#elif defined __aarch64__
#define MACHINE AUDIT_ARCH_AARCH64
#endif

#ifdef MACHINE

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define RETURN(what) BPF_STMT(BPF_RET | BPF_K, what)
#define UNLESS_EQUAL(value, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skip)
#define ALLOW(call) UNLESS_EQUAL(__NR_##call, 1), RETURN(SECCOMP_RET_ALLOW)
#define FAIL(call, error) \
	UNLESS_EQUAL(__NR_##call, 1), RETURN(SECCOMP_RET_ERRNO | (error & SECCOMP_RET_DATA))
/* The lower half of argument n; both machines are little-endian. */
#define ARGUMENT(n) LOAD(args[n])
#define ANY_SET(bits) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, 0, 1)

static const struct sock_filter filter[] = {
	LOAD(arch),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, MACHINE, 1, 0),
	RETURN(SECCOMP_RET_KILL_PROCESS),
	LOAD(nr),
	ALLOW(read),
	ALLOW(write),
	ALLOW(readv),
	ALLOW(writev),
	ALLOW(close),
	ALLOW(brk),
	ALLOW(munmap),
	ALLOW(mremap),
	ALLOW(madvise),
	ALLOW(futex),
	ALLOW(exit),
	ALLOW(exit_group),
	ALLOW(rt_sigreturn),
	ALLOW(rt_sigprocmask),
	ALLOW(rt_sigaction),
	ALLOW(sigaltstack),
	ALLOW(restart_syscall),
	ALLOW(clock_gettime),
	ALLOW(clock_getres),
	ALLOW(clock_nanosleep),
	ALLOW(nanosleep),
	ALLOW(gettimeofday),
	ALLOW(setitimer),
	ALLOW(getpid),
	ALLOW(gettid),
	ALLOW(getrandom),
	ALLOW(sched_yield),
	ALLOW(sched_getaffinity),
	ALLOW(sched_setaffinity),
	ALLOW(sched_getparam),
	ALLOW(sched_getscheduler),
	ALLOW(set_robust_list),
	ALLOW(set_tid_address),
	ALLOW(rseq),
	ALLOW(getrusage),
	ALLOW(sysinfo),
#ifdef __NR_alarm
	ALLOW(alarm),
#endif
	FAIL(clone3, ENOSYS), /* its flags cannot be seen; the C library then calls clone */
	FAIL(openat, EACCES),
	FAIL(newfstatat, EACCES),
	FAIL(fstat, EACCES),
	FAIL(faccessat, EACCES),
	FAIL(readlinkat, EACCES),
	FAIL(ioctl, EACCES),
	FAIL(prctl, EACCES),
	FAIL(prlimit64, EACCES),
	FAIL(uname, EACCES),
#ifdef __x86_64__
	FAIL(open, EACCES),
	FAIL(stat, EACCES),
	FAIL(access, EACCES),
	FAIL(readlink, EACCES),
#endif
	/* Memory never becomes code, and clone makes threads alone. */
	UNLESS_EQUAL(__NR_mmap, 4),
	ARGUMENT(2),
	ANY_SET(PROT_EXEC),
	RETURN(SECCOMP_RET_KILL_PROCESS),
	RETURN(SECCOMP_RET_ALLOW),
	UNLESS_EQUAL(__NR_mprotect, 4),
	ARGUMENT(2),
	ANY_SET(PROT_EXEC),
	RETURN(SECCOMP_RET_KILL_PROCESS),
	RETURN(SECCOMP_RET_ALLOW),
	UNLESS_EQUAL(__NR_clone, 3),
	ARGUMENT(0),
	ANY_SET(CLONE_THREAD),
	RETURN(SECCOMP_RET_ALLOW),
	RETURN(SECCOMP_RET_KILL_PROCESS),
};

bool ims_sandbox_lock(void)
{
	struct sock_fprog program = {
		.len = sizeof filter / sizeof filter[0],
		.filter = (struct sock_filter *)filter,
	};
	if (INSTRUMENTED || prctl(PR_GET_SECCOMP, 0, 0, 0, 0) < 0) /* a kernel without it */
		return true;
	return !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
		&& (!syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) || errno == ENOSYS);
}

#else

bool ims_sandbox_lock(void)
{
	return true;
}

#endif
