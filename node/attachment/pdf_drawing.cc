#include "node/attachment/pdf_drawing.hh"

#include <cmath>
#include <csetjmp>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <utility>

#include <dlfcn.h>

#include <cairo-pdf.h>
#include <jpeglib.h>
#include <poppler.h>

#define _Static_assert static_assert // our headers are C

extern "C" {
#include "node/attachment/attachment_pdf.h"
}

namespace
{

constexpr double CELL = 8; // of a point: how exactly two drawings place a character
constexpr int JPEG_QUALITY = 95;
constexpr int JPEG_PIXELS_MIN = 64 * 64; // smaller pictures are not worth it
constexpr double POINTS = 72;

// ---- characters that are not seen ----

using Place = std::pair<long, long>;

struct Character {
    bool is_seen;
    std::string text;
};

struct Page {
    std::map<Place, std::deque<Character>> characters; // of a place: in the order of drawing
};

Page *drawn_page = nullptr; // while poppler draws; the child has one thread
PdfPictures picture_form = PdfPictures::EXACT;

long cell_of(double points)
{
    return std::lround(points * CELL);
}

Page page_of(const PdfSight &sight)
{
    Page page;
    for (const PdfGlyph &glyph : sight.glyphs)
        if (glyph.is_painted)
            page.characters[{cell_of(glyph.x), cell_of(glyph.y)}].push_back(
                {glyph.is_seen, pdf_sight_utf8(glyph.text)});
    return page;
}

// A character that was not met before is kept: the comparison of the texts finds it.
Character character_at(double x, double y)
{
    for (long dx : {0L, -1L, 1L}) {
        for (long dy : {0L, -1L, 1L}) {
            auto found = drawn_page->characters.find({cell_of(x) + dx, cell_of(y) + dy});
            if (found == drawn_page->characters.end() || found->second.empty())
                continue;
            const Character character = found->second.front();
            found->second.pop_front();
            return character;
        }
    }
    return {true, ""};
}

// ---- pictures ----

struct JpegFailure {
    jpeg_error_mgr manager;
    jmp_buf way_out;
};

void jpeg_on_error(j_common_ptr info)
{
    longjmp(reinterpret_cast<JpegFailure *>(info->err)->way_out, 1);
}

void jpeg_rows(jpeg_compress_struct &encoder, const unsigned char *pixels, int stride, bool is_gray)
{
    JSAMPLE *line = static_cast<JSAMPLE *>(malloc(size_t(encoder.image_width) * 3));
    while (line != nullptr && encoder.next_scanline < encoder.image_height) {
        const unsigned char *row = pixels + ptrdiff_t(encoder.next_scanline) * stride;
        for (size_t x = 0; x < encoder.image_width; x++) {
            uint32_t pixel;
            memcpy(&pixel, row + x * 4, sizeof pixel);
            if (is_gray) {
                line[x] = JSAMPLE(pixel & 0xff);
            } else {
                line[x * 3] = JSAMPLE((pixel >> 16) & 0xff);
                line[x * 3 + 1] = JSAMPLE((pixel >> 8) & 0xff);
                line[x * 3 + 2] = JSAMPLE(pixel & 0xff);
            }
        }
        jpeg_write_scanlines(&encoder, &line, 1);
    }
    free(line);
}

bool is_gray(const unsigned char *pixels, int width, int height, int stride)
{
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
            const unsigned char *pixel = pixels + ptrdiff_t(y) * stride + ptrdiff_t(x) * 4;
            if (pixel[0] != pixel[1] || pixel[1] != pixel[2])
                return false;
        }
    }
    return true;
}

// Cairo writes what is attached to a picture in place of its pixels: here a JPEG made from them.
void attach_jpeg(cairo_surface_t *picture)
{
    if (cairo_surface_get_type(picture) != CAIRO_SURFACE_TYPE_IMAGE ||
        cairo_image_surface_get_format(picture) != CAIRO_FORMAT_RGB24)
        return;
    cairo_surface_flush(picture);
    const int width = cairo_image_surface_get_width(picture);
    const int height = cairo_image_surface_get_height(picture);
    const int stride = cairo_image_surface_get_stride(picture);
    const unsigned char *pixels = cairo_image_surface_get_data(picture);
    if (pixels == nullptr || int64_t{width} * height < JPEG_PIXELS_MIN || width > 65500 ||
        height > 65500)
        return;
    jpeg_compress_struct encoder;
    JpegFailure failure;
    unsigned char *volatile data = nullptr;
    unsigned char *made = nullptr;
    unsigned long size = 0;
    encoder.err = jpeg_std_error(&failure.manager);
    failure.manager.error_exit = jpeg_on_error;
    jpeg_create_compress(&encoder);
    if (setjmp(failure.way_out) == 0) {
        const bool gray = is_gray(pixels, width, height, stride);
        jpeg_mem_dest(&encoder, &made, &size);
        encoder.image_width = JDIMENSION(width);
        encoder.image_height = JDIMENSION(height);
        encoder.input_components = gray ? 1 : 3;
        encoder.in_color_space = gray ? JCS_GRAYSCALE : JCS_RGB;
        jpeg_set_defaults(&encoder);
        jpeg_set_quality(&encoder, JPEG_QUALITY, TRUE);
        encoder.comp_info[0].h_samp_factor = encoder.comp_info[0].v_samp_factor = 1;
        jpeg_start_compress(&encoder, TRUE);
        jpeg_rows(encoder, pixels, stride, gray);
        jpeg_finish_compress(&encoder);
        data = made;
    }
    jpeg_destroy_compress(&encoder);
    using Set = cairo_status_t (*)(cairo_surface_t *, const char *, const unsigned char *,
                                   unsigned long, cairo_destroy_func_t, void *);
    static const Set set = reinterpret_cast<Set>(dlsym(RTLD_NEXT, "cairo_surface_set_mime_data"));
    if (data != nullptr &&
        set(picture, CAIRO_MIME_TYPE_JPEG, data, size, free, data) != CAIRO_STATUS_SUCCESS)
        free(data);
}

// ---- pages ----

struct Target {
    std::string &file;
    size_t size_max;
    bool is_over;
};

cairo_status_t on_write(void *closure, const unsigned char *data, unsigned int size)
{
    Target *target = static_cast<Target *>(closure);
    if (target->file.size() + size > target->size_max) {
        target->is_over = true;
        return CAIRO_STATUS_WRITE_ERROR;
    }
    target->file.append(reinterpret_cast<const char *>(data), size);
    return CAIRO_STATUS_SUCCESS;
}

constexpr double PICTURE_PIXELS_MAX = 1e8;

bool is_too_large(double width, double height)
{
    const double scale = ATTACHMENT_PDF_PICTURE_DPI / POINTS;
    return width * scale * height * scale > PICTURE_PIXELS_MAX;
}

bool draw_as_picture(PopplerPage *page, cairo_t *out, double width, double height)
{
    const double scale = ATTACHMENT_PDF_PICTURE_DPI / POINTS;
    const int columns = std::max(1, int(std::ceil(width * scale)));
    const int rows = std::max(1, int(std::ceil(height * scale)));
    cairo_surface_t *picture = cairo_image_surface_create(CAIRO_FORMAT_RGB24, columns, rows);
    cairo_t *context = cairo_create(picture);
    cairo_set_source_rgb(context, 1, 1, 1);
    cairo_paint(context);
    cairo_scale(context, scale, scale);
    poppler_page_render(page, context);
    const bool is_drawn = cairo_status(context) == CAIRO_STATUS_SUCCESS;
    cairo_destroy(context);
    if (picture_form == PdfPictures::SMALLER)
        attach_jpeg(picture);
    cairo_save(out);
    cairo_scale(out, 1 / scale, 1 / scale);
    cairo_set_source_surface(out, picture, 0, 0);
    cairo_paint(out);
    cairo_restore(out);
    cairo_surface_destroy(picture);
    return is_drawn;
}

PdfDrawn draw_page(PopplerDocument *document, const PdfDrawing &drawing, int index, cairo_t *out)
{
    double width, height;
    PopplerPage *page = poppler_document_get_page(document, index);
    if (page == nullptr)
        return PdfDrawn::DAMAGED;
    poppler_page_get_size(page, &width, &height);
    if (drawing.is_as_pictures && is_too_large(width, height)) {
        g_object_unref(page);
        return PdfDrawn::NO_MEMORY;
    }
    cairo_pdf_surface_set_size(cairo_get_target(out), width, height);
    bool is_drawn = true;
    if (drawing.is_as_pictures) {
        is_drawn = draw_as_picture(page, out, width, height);
    } else {
        Page characters = page_of(drawing.sights[size_t(index)]);
        drawn_page = &characters;
        poppler_page_render(page, out);
        drawn_page = nullptr;
    }
    cairo_show_page(out);
    g_object_unref(page);
    return is_drawn && cairo_status(out) == CAIRO_STATUS_SUCCESS ? PdfDrawn::DONE
                                                                 : PdfDrawn::DAMAGED;
}

} // namespace

// ---- what poppler calls in place of cairo's own: the program's names come before its libraries'
// --

// Poppler tells cairo of shapes only, on a screen: here the text of each joins it.
extern "C" void cairo_show_glyphs(cairo_t *out, const cairo_glyph_t *glyphs, int count)
{
    using Show = void (*)(cairo_t *, const cairo_glyph_t *, int);
    static const Show show = reinterpret_cast<Show>(dlsym(RTLD_NEXT, "cairo_show_glyphs"));
    if (drawn_page == nullptr) {
        show(out, glyphs, count);
        return;
    }
    std::string text;
    std::vector<cairo_glyph_t> kept;
    std::vector<cairo_text_cluster_t> clusters;
    for (int i = 0; i < count; i++) {
        double x = glyphs[i].x, y = glyphs[i].y;
        cairo_user_to_device(out, &x, &y);
        const Character character = character_at(x, y);
        if (!character.is_seen)
            continue;
        text += character.text;
        kept.push_back(glyphs[i]);
        clusters.push_back({int(character.text.size()), 1});
    }
    if (!kept.empty())
        cairo_show_text_glyphs(out, text.data(), int(text.size()), kept.data(), int(kept.size()),
                               clusters.data(), int(clusters.size()),
                               static_cast<cairo_text_cluster_flags_t>(0));
}

// Data of the document that would be written unopened in place of a picture's pixels.
extern "C" cairo_status_t cairo_surface_set_mime_data(cairo_surface_t *, const char *,
                                                      const unsigned char *, unsigned long,
                                                      cairo_destroy_func_t destroy, void *closure)
{
    if (destroy != nullptr)
        destroy(closure);
    return CAIRO_STATUS_SUCCESS;
}

extern "C" cairo_pattern_t *cairo_pattern_create_for_surface(cairo_surface_t *surface)
{
    using Create = cairo_pattern_t *(*)(cairo_surface_t *);
    static const Create create =
        reinterpret_cast<Create>(dlsym(RTLD_NEXT, "cairo_pattern_create_for_surface"));
    if (picture_form == PdfPictures::SMALLER && drawn_page != nullptr)
        attach_jpeg(surface);
    return create(surface);
}

PdfDrawn pdf_drawing_draw(const PdfDrawing &drawing, std::string &ret_file)
{
    GBytes *bytes = g_bytes_new_static(drawing.file.data(), drawing.file.size());
    PopplerDocument *document = poppler_document_new_from_bytes(bytes, nullptr, nullptr);
    g_bytes_unref(bytes);
    if (document == nullptr)
        return PdfDrawn::DAMAGED;
    ret_file.clear();
    picture_form = drawing.pictures;
    Target target = {ret_file, drawing.size_max, false};
    cairo_surface_t *surface = cairo_pdf_surface_create_for_stream(on_write, &target, 1, 1);
    // no clock in what leaves
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATE_DATE, "");
    cairo_t *out = cairo_create(surface);
    PdfDrawn drawn = PdfDrawn::DONE;
    const int count = poppler_document_get_n_pages(document);
    for (int i = 0; drawn == PdfDrawn::DONE && i < count; i++)
        drawn = draw_page(document, drawing, i, out);
    cairo_destroy(out);
    cairo_surface_finish(surface);
    const cairo_status_t status = cairo_surface_status(surface);
    cairo_surface_destroy(surface);
    g_object_unref(document);
    if (target.is_over)
        return PdfDrawn::TOO_LARGE;
    if (status == CAIRO_STATUS_NO_MEMORY)
        return PdfDrawn::NO_MEMORY;
    return drawn == PdfDrawn::DONE && status != CAIRO_STATUS_SUCCESS ? PdfDrawn::DAMAGED : drawn;
}
