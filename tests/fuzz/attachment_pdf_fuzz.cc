// The room of consilium-pdf that takes out of a PDF what its pages do not show, without the walls
// of the child that it runs in: whatever comes, it is cleaned or damaged (an exception of the
// library), and what was cleaned is a PDF that can be read and cleaned again.

#include <cstdint>
#include <cstdlib>
#include <string>

#include "node/attachment/pdf_cleaner.hh"

#include <qpdf/Buffer.hh>
#include <qpdf/QPDFExc.hh>
#include <qpdf/QPDFWriter.hh>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

namespace
{

std::string cleaned(const std::string &input)
{
    QPDF pdf;
    pdf.setSuppressWarnings(true);
    pdf.setAttemptRecovery(false);
    pdf.processMemoryFile("input", input.data(), input.size());
    pdf_cleaner_clean(pdf, input);
    QPDFWriter writer(pdf);
    writer.setOutputMemory();
    writer.setStreamDataMode(qpdf_s_preserve);
    writer.setObjectStreamMode(qpdf_o_disable);
    writer.setPreserveEncryption(false);
    writer.setDeterministicID(true);
    writer.write();
    const std::shared_ptr<Buffer> output = writer.getBufferSharedPointer();
    return std::string(reinterpret_cast<const char *>(output->getBuffer()), output->getSize());
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    std::string once;
    try {
        once = cleaned(std::string(reinterpret_cast<const char *>(data), size));
    } catch (const std::exception &) {
        return 0; // the child says "damaged"
    }
    try {
        (void)cleaned(once);
    } catch (const std::exception &) {
        abort();
    }
    return 0;
}
