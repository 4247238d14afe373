// consilium-pdf: draws one PDF anew, from standard input to standard output, as
// node/attachment/attachment_pdf.h says. A child of the daemon, and a program of its own because a
// PDF parser does not belong beside keys: it limits itself first, and reads second.

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <string>
#include <vector>

#define _Static_assert static_assert // our headers are C

extern "C" {
#include "node/os/sandbox.h"
}

#include "node/attachment/pdf_fonts.hh"
#include "node/attachment/pdf_redraw.hh"

namespace
{

// ---- limits: own time and memory, then no system call but those to compute and to read fonts ----

constexpr rlim_t MEMORY_SIZE_MAX = rlim_t{1} << 30;
constexpr rlim_t DESCRIPTOR_COUNT_MAX = 64;

bool limit(__rlimit_resource_t resource, rlim_t most)
{
    const rlimit both = {most, most};
    return setrlimit(resource, &both) == 0;
}

bool limits_set()
{
    return limit(RLIMIT_CORE, 0) && limit(RLIMIT_AS, MEMORY_SIZE_MAX) &&
           limit(RLIMIT_CPU, ATTACHMENT_PDF_TIME_S_MAX - 10) &&
           limit(RLIMIT_FSIZE, rlim_t{ATTACHMENT_SIZE_MAX} + (1 << 20)) &&
           limit(RLIMIT_NOFILE, DESCRIPTOR_COUNT_MAX);
}

#if defined(__x86_64__)
constexpr uint32_t OWN_ARCH = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr uint32_t OWN_ARCH = AUDIT_ARCH_AARCH64;
#else
#error "add this machine's AUDIT_ARCH constant"
#endif

sock_filter take(uint16_t code, uint32_t value)
{
    return sock_filter{code, 0, 0, value};
}

// Compares with `value`; when it is that, the next `over` instructions are passed over.
sock_filter skip_when(uint32_t value, uint8_t over)
{
    return sock_filter{BPF_JMP | BPF_JEQ | BPF_K, over, 0, value};
}

// The next `over` instructions are for the call `number` alone.
sock_filter only_for(long number, uint8_t over)
{
    return sock_filter{BPF_JMP | BPF_JEQ | BPF_K, 0, over, uint32_t(number)};
}

// Opening for reading works when Landlock keeps it to the fonts (`may_open`); other calls that open
// or look for something fail as on an empty disk; any other call that is not listed kills.
bool calls_limited(bool may_open)
{
    const std::vector<long> allowed = {SYS_read,         SYS_write,        SYS_brk,
                                       SYS_mmap,         SYS_munmap,       SYS_mremap,
                                       SYS_madvise,      SYS_mprotect,     SYS_futex,
                                       SYS_exit,         SYS_exit_group,   SYS_getpid,
                                       SYS_gettid,       SYS_tgkill,       SYS_rt_sigprocmask,
                                       SYS_rt_sigaction, SYS_close,        SYS_clock_gettime,
                                       SYS_rt_sigreturn, SYS_getrandom,    SYS_fstat,
                                       SYS_sysinfo,      SYS_gettimeofday, SYS_sched_getaffinity,
                                       SYS_lseek,        SYS_pread64,      SYS_readv};
    const std::vector<long> reading = {SYS_newfstatat, SYS_getdents64, SYS_fstatfs,
                                       SYS_fcntl,      SYS_faccessat,  SYS_fadvise64};
    std::vector<long> empty = {SYS_readlinkat, SYS_statfs, SYS_unlinkat, SYS_mkdirat};
#ifdef __x86_64__
    empty.insert(empty.end(), {SYS_readlink, SYS_access, SYS_open, SYS_stat, SYS_unlink});
#endif
    std::vector<sock_filter> program = {
        take(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch)),
        skip_when(OWN_ARCH, 1),
        take(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        take(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
    };
    const auto answer = [&](const std::vector<long> &calls, uint32_t what) {
        for (long call : calls) {
            program.push_back(only_for(call, 1));
            program.push_back(take(BPF_RET | BPF_K, what));
        }
    };
    const uint32_t as_empty = SECCOMP_RET_ERRNO | ENOENT;
    answer(allowed, SECCOMP_RET_ALLOW);
    answer(reading, may_open ? uint32_t(SECCOMP_RET_ALLOW) : as_empty);
    answer(empty, as_empty);
    program.push_back(only_for(SYS_openat, 5));
    program.push_back(take(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[2])));
    program.push_back(take(BPF_ALU | BPF_AND | BPF_K, O_ACCMODE | O_CREAT | O_TRUNC));
    program.push_back(sock_filter{BPF_JMP | BPF_JEQ | BPF_K, 0, 1, O_RDONLY});
    program.push_back(take(BPF_RET | BPF_K, may_open ? uint32_t(SECCOMP_RET_ALLOW) : as_empty));
    program.push_back(take(BPF_RET | BPF_K, as_empty));
    program.push_back(take(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
    const sock_fprog filter = {static_cast<unsigned short>(program.size()), program.data()};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

// Fontconfig's lists are loaded before; the files of fonts are opened when a page needs them.
bool walls_closed()
{
    static const char *const folders[] = {PDF_FONTS_FOLDER_LIST nullptr};
    const struct sandbox fonts = {folders, nullptr, nullptr};
    const err paths = sandbox_paths(&fonts);
    return (paths == OK || paths == ERR_UNSUPPORTED) && calls_limited(paths == OK);
}

// ---- bytes in and out ----

bool read_all(std::string &ret_all)
{
    std::vector<char> part(1 << 20);
    for (;;) {
        const ssize_t got = read(STDIN_FILENO, part.data(), part.size());
        if (got == 0)
            return true;
        if (got < 0 && errno != EINTR)
            return false;
        if (got > 0)
            ret_all.append(part.data(), size_t(got));
        if (ret_all.size() > ATTACHMENT_SIZE_MAX)
            return false;
    }
}

bool write_all(const std::string &all)
{
    size_t done = 0;
    while (done < all.size()) {
        const ssize_t written = write(STDOUT_FILENO, all.data() + done, all.size() - done);
        if (written < 0 && errno != EINTR)
            return false;
        done += written > 0 ? size_t(written) : 0;
    }
    return true;
}

std::string number(size_t value)
{
    return {char(value >> 24 & 0xff), char(value >> 16 & 0xff), char(value >> 8 & 0xff),
            char(value & 0xff)};
}

int redraw(bool is_as_pictures)
{
    std::string input;
    if (!read_all(input))
        return ATTACHMENT_PDF_TOO_DEAR;
    PdfRedrawn result;
    const int status = pdf_redraw(input, is_as_pictures, result);
    const bool is_written = write_all(number(result.stripped) + number(size_t(result.page)) +
                                      number(result.findings.size()) + result.findings) &&
                            (status != ATTACHMENT_PDF_CLEANED || write_all(result.file));
    return is_written ? status : int(ATTACHMENT_PDF_TOO_DEAR);
}

} // namespace

int main(int count, char **arguments)
{
    const bool is_as_pictures = count > 1 && strcmp(arguments[1], ATTACHMENT_PDF_PICTURES) == 0;
    int result = ATTACHMENT_PDF_DAMAGED;
    if (!limits_set())
        _exit(ATTACHMENT_PDF_UNUSABLE);
    (void)pdf_fonts_load(); // without any, a page that needs one is refused
    if (!walls_closed())
        _exit(ATTACHMENT_PDF_UNUSABLE);
    try {
        result = redraw(is_as_pictures);
    } catch (const std::bad_alloc &) {
        result = ATTACHMENT_PDF_TOO_DEAR;
    } catch (const std::exception &) {
        result = ATTACHMENT_PDF_DAMAGED;
    }
    _exit(result); // what else would run is libraries' goodbye, which may not want these limits
}
