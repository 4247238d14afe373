// Takes out of a PDF what its pages do not show; a room of consilium-pdf alone.
#ifndef CONSILIUM_NODE_ATTACHMENT_PDF_CLEANER_HH
#define CONSILIUM_NODE_ATTACHMENT_PDF_CLEANER_HH

#include <cstdint>
#include <string>

#define POINTERHOLDER_TRANSITION 4 // libqpdf's choice of pointers: the standard's
#include <qpdf/QPDF.hh>

#define _Static_assert static_assert // our headers are C

// Changes `pdf`, which was read from `input`, so that writing it writes its pages and nothing else.
// Answers what was left behind (enum attachment_stripped). Throws QPDFExc when it is damaged.
uint32_t pdf_cleaner_clean(QPDF &pdf, const std::string &input);

#endif
