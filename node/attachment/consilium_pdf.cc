// consilium-pdf: cleans one PDF, from standard input to standard output, as
// node/attachment/attachment_pdf.h says. A child of the daemon, and a program of its own because a
// PDF parser does not belong beside keys: it limits itself first, and reads second.

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
#include <string>
#include <vector>

#include "node/attachment/pdf_cleaner.hh"

#include <qpdf/Buffer.hh>
#include <qpdf/QPDFExc.hh>
#include <qpdf/QPDFWriter.hh>

extern "C" {
#include "node/attachment/attachment_pdf.h"
#include "protocol/base/limits.h"
}

namespace
{

// ---- limits: own time and memory, then no system call but those to compute ----

constexpr rlim_t MEMORY_SIZE_MAX = rlim_t{1} << 30;

bool limit(__rlimit_resource_t resource, rlim_t most)
{
    const rlimit both = {most, most};
    return setrlimit(resource, &both) == 0;
}

bool limits_set()
{
    return limit(RLIMIT_CORE, 0) && limit(RLIMIT_AS, MEMORY_SIZE_MAX) &&
           limit(RLIMIT_CPU, ATTACHMENT_PDF_TIME_S_MAX - 10) &&
           limit(RLIMIT_FSIZE, rlim_t{ATTACHMENT_SIZE_MAX} + 4096) && limit(RLIMIT_NOFILE, 0);
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

// Calls that open something fail as on an empty disk; any other call that is not listed kills.
bool calls_limited()
{
    const std::vector<long> allowed = {SYS_read,         SYS_write,        SYS_brk,
                                       SYS_mmap,         SYS_munmap,       SYS_mremap,
                                       SYS_madvise,      SYS_mprotect,     SYS_futex,
                                       SYS_exit,         SYS_exit_group,   SYS_getpid,
                                       SYS_gettid,       SYS_tgkill,       SYS_rt_sigprocmask,
                                       SYS_rt_sigaction, SYS_close,        SYS_clock_gettime,
                                       SYS_rt_sigreturn, SYS_getrandom,    SYS_fstat,
                                       SYS_sysinfo,      SYS_gettimeofday, SYS_sched_getaffinity};
    const std::vector<long> empty = {SYS_openat, SYS_newfstatat, SYS_readlinkat};
    std::vector<sock_filter> program = {
        take(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch)),
        skip_when(OWN_ARCH, 1),
        take(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        take(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
    };
    for (long call : allowed) {
        program.push_back(sock_filter{BPF_JMP | BPF_JEQ | BPF_K, 0, 1, uint32_t(call)});
        program.push_back(take(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
    }
    for (long call : empty) {
        program.push_back(sock_filter{BPF_JMP | BPF_JEQ | BPF_K, 0, 1, uint32_t(call)});
        program.push_back(take(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOENT));
    }
    program.push_back(take(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
    const sock_fprog filter = {static_cast<unsigned short>(program.size()), program.data()};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
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

bool write_all(const uint8_t *data, size_t size)
{
    while (size > 0) {
        const ssize_t written = write(STDOUT_FILENO, data, size);
        if (written < 0 && errno != EINTR)
            return false;
        if (written > 0) {
            data += written;
            size -= size_t(written);
        }
    }
    return true;
}

int clean()
{
    std::string input;
    if (!read_all(input))
        return ATTACHMENT_PDF_TOO_DEAR;
    QPDF pdf;
    pdf.setSuppressWarnings(true);
    pdf.processMemoryFile("input", input.data(), input.size());
    const uint32_t stripped = pdf_cleaner_clean(pdf, input);

    QPDFWriter writer(pdf);
    writer.setOutputMemory();
    writer.setStreamDataMode(qpdf_s_preserve);
    writer.setObjectStreamMode(qpdf_o_disable);
    writer.setPreserveEncryption(false);
    writer.setDeterministicID(true); // from the content: neither clock nor machine
    writer.write();
    const std::shared_ptr<Buffer> output = writer.getBufferSharedPointer();
    if (output->getSize() > ATTACHMENT_SIZE_MAX)
        return ATTACHMENT_PDF_TOO_DEAR;
    const uint8_t head[4] = {uint8_t(stripped >> 24), uint8_t(stripped >> 16),
                             uint8_t(stripped >> 8), uint8_t(stripped)};
    return write_all(head, sizeof head) && write_all(output->getBuffer(), output->getSize())
               ? ATTACHMENT_PDF_CLEANED
               : ATTACHMENT_PDF_TOO_DEAR;
}

} // namespace

int main()
{
    int result = ATTACHMENT_PDF_DAMAGED;
    if (!limits_set() || !calls_limited())
        _exit(ATTACHMENT_PDF_UNUSABLE);
    try {
        result = clean();
    } catch (const QPDFExc &failure) {
        result = failure.getErrorCode() == qpdf_e_password ? ATTACHMENT_PDF_PROTECTED
                                                           : ATTACHMENT_PDF_DAMAGED;
    } catch (const std::bad_alloc &) {
        result = ATTACHMENT_PDF_TOO_DEAR;
    } catch (const std::exception &) {
        result = ATTACHMENT_PDF_DAMAGED;
    }
    _exit(result); // what else would run is libraries' goodbye, which may not want these limits
}
