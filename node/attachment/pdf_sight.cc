#include "node/attachment/pdf_sight.hh"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

#include <poppler/GfxFont.h>
#include <poppler/GfxState.h>
#include <poppler/SplashOutputDev.h>
#include <poppler/UTF.h>
#include <poppler/splash/SplashBitmap.h>

#include "node/attachment/pdf_fonts.hh"

namespace
{

constexpr double DPI = 100, POINTS = 72;
constexpr double PIXELS_MAX = 4e6;
constexpr int COVER_WIDTH_MIN = 12, COVER_HEIGHT_MIN = 4; // pixels: smaller hides no word
constexpr int CROP_MIN = 12;
constexpr double OPAQUE = 0.9;

struct Box {
    double left, top, right, bottom;

    Box meet(const Box &other) const
    {
        return {std::max(left, other.left), std::max(top, other.top), std::min(right, other.right),
                std::min(bottom, other.bottom)};
    }
    double width() const
    {
        return right - left;
    }
    double height() const
    {
        return bottom - top;
    }
};

Box box_of(const std::vector<std::pair<double, double>> &points)
{
    Box box = {1e9, 1e9, -1e9, -1e9};
    for (const auto &[x, y] : points)
        box = {std::min(box.left, x), std::min(box.top, y), std::max(box.right, x),
               std::max(box.bottom, y)};
    return box;
}

std::u32string text_of(const Unicode *u, int length)
{
    std::u32string text;
    for (int i = 0; i < length; i++)
        text.push_back(char32_t(u[i]));
    return text;
}

// Has no shape: unlike characters for private use, which have one that no text tells.
bool is_blank(const std::u32string &text)
{
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char32_t c) {
        return pdf_sight_is_space(c) && c < 0xe000;
    });
}

// ---- drawing, and who changed each pixel last ----

struct Drawn {
    PdfGlyph glyph;
    Box box;          // pixels that it may reach
    bool is_in_group; // drawn into a bitmap of its own: whose pixels they are is not known
};

class SightDevice : public SplashOutputDev
{
  public:
    SightDevice(bool with_text, double scale)
        : SplashOutputDev(splashModeRGB8, 1, false, paper(), true), is_with_text(with_text),
          pixels_of_point(scale)
    {
        setFontAntialias(true);
        setVectorAntialias(true);
    }

    std::vector<Drawn> drawn;
    std::vector<uint32_t> owners; // of each pixel: 1 + index in `drawn`, or 0
    std::vector<uint8_t> pixels;  // red, green, blue; at the end as they show
    int width = 0, height = 0;
    bool has_coded_picture = false, has_covered_picture = false, has_cropped_picture = false;

    void startPage(int number, GfxState *state, XRef *table) override
    {
        SplashOutputDev::startPage(number, state, table);
        page = getBitmap();
        width = page->getWidth();
        height = page->getHeight();
        pixels.resize(size_t(width) * size_t(height) * 3);
        owners.assign(size_t(width) * size_t(height), 0);
        take({0, 0, double(width), double(height)}, 0);
    }

    // Until here colour and opacity are apart; then Splash lays the page on its paper.
    void endPage() override
    {
        if (getBitmap() == page)
            take({0, 0, double(width), double(height)}, 0);
        SplashOutputDev::endPage();
        for (int y = 0; y < height; y++)
            memcpy(&pixels[size_t(y) * size_t(width) * 3],
                   page->getDataPtr() + ptrdiff_t(y) * page->getRowSize(), size_t(width) * 3);
    }

    // ---- text ----

    void drawChar(GfxState *state, double x, double y, double dx, double dy, double origin_x,
                  double origin_y, CharCode code, int size, const Unicode *u, int length) override
    {
        if (!is_with_text)
            return;
        before_text();
        note(state, x - origin_x, y - origin_y, dx, dy, text_of(u, length));
        SplashOutputDev::drawChar(state, x, y, dx, dy, origin_x, origin_y, code, size, u, length);
        after_text();
    }

    bool beginType3Char(GfxState *state, double x, double y, double dx, double dy, CharCode code,
                        const Unicode *u, int length) override
    {
        if (!is_with_text)
            return true;
        before_text();
        note(state, 0, 0, dx, dy, text_of(u, length));
        const bool is_done = SplashOutputDev::beginType3Char(state, x, y, dx, dy, code, u, length);
        if (is_done)
            after_text();
        else
            type3_depth++;
        return is_done;
    }

    void endType3Char(GfxState *state) override
    {
        SplashOutputDev::endType3Char(state);
        type3_depth--;
        after_text();
    }

    void endTextObject(GfxState *state) override
    {
        if (is_with_text)
            SplashOutputDev::endTextObject(state);
    }

    // ---- anything else ----

    void stroke(GfxState *state) override
    {
        is_stale = true;
        SplashOutputDev::stroke(state);
    }

    void fill(GfxState *state) override
    {
        cover(state);
        SplashOutputDev::fill(state);
    }

    void eoFill(GfxState *state) override
    {
        cover(state);
        SplashOutputDev::eoFill(state);
    }

    void paintTransparencyGroup(GfxState *state, const double *bbox) override
    {
        is_stale = true;
        SplashOutputDev::paintTransparencyGroup(state, bbox);
    }

    void drawImageMask(GfxState *state, Object *ref, Stream *str, int image_width, int image_height,
                       bool invert, bool interpolate, bool is_inline) override
    {
        is_stale = true;
        SplashOutputDev::drawImageMask(state, ref, str, image_width, image_height, invert,
                                       interpolate, is_inline);
    }

    void drawImage(GfxState *state, Object *ref, Stream *str, int image_width, int image_height,
                   GfxImageColorMap *map, bool interpolate, const int *mask,
                   bool is_inline) override
    {
        picture(state, str);
        SplashOutputDev::drawImage(state, ref, str, image_width, image_height, map, interpolate,
                                   mask, is_inline);
    }

    void drawMaskedImage(GfxState *state, Object *ref, Stream *str, int image_width,
                         int image_height, GfxImageColorMap *map, bool interpolate, Stream *mask,
                         int mask_width, int mask_height, bool invert,
                         bool mask_interpolate) override
    {
        picture(state, str);
        SplashOutputDev::drawMaskedImage(state, ref, str, image_width, image_height, map,
                                         interpolate, mask, mask_width, mask_height, invert,
                                         mask_interpolate);
    }

    void drawSoftMaskedImage(GfxState *state, Object *ref, Stream *str, int image_width,
                             int image_height, GfxImageColorMap *map, bool interpolate,
                             Stream *mask, int mask_width, int mask_height,
                             GfxImageColorMap *mask_map, bool mask_interpolate) override
    {
        picture(state, str);
        SplashOutputDev::drawSoftMaskedImage(state, ref, str, image_width, image_height, map,
                                             interpolate, mask, mask_width, mask_height, mask_map,
                                             mask_interpolate);
    }

  private:
    bool is_with_text;
    double pixels_of_point;
    SplashBitmap *page = nullptr;
    bool is_stale = true; // something that is no text was drawn since `pixels` was taken
    int type3_depth = 0;
    std::vector<Box> pictures;

    static SplashColorPtr paper()
    {
        static unsigned char white[4] = {255, 255, 255, 0};
        return white;
    }

    // Gives `owner` the pixels inside `box` that have changed.
    void take(const Box &box, uint32_t owner)
    {
        const int left = std::max(0, int(std::floor(std::max(box.left, -1.0))));
        const int top = std::max(0, int(std::floor(std::max(box.top, -1.0))));
        const int right = int(std::ceil(std::min(box.right, double(width))));
        const int bottom = int(std::ceil(std::min(box.bottom, double(height))));
        for (int y = top; y < bottom && left < right; y++) {
            const uint8_t *now =
                page->getDataPtr() + ptrdiff_t(y) * page->getRowSize() + ptrdiff_t(left) * 3;
            const size_t first = size_t(y) * size_t(width) + size_t(left);
            const size_t count = size_t(right - left);
            if (memcmp(now, &pixels[first * 3], count * 3) == 0)
                continue;
            for (size_t i = 0; i < count; i++) {
                if (memcmp(now + i * 3, &pixels[(first + i) * 3], 3) == 0)
                    continue;
                memcpy(&pixels[(first + i) * 3], now + i * 3, 3);
                owners[first + i] = owner;
            }
        }
    }

    void before_text()
    {
        if (is_stale && type3_depth == 0 && getBitmap() == page) {
            take({0, 0, double(width), double(height)}, 0);
            is_stale = false;
        }
    }

    void after_text()
    {
        if (type3_depth == 0 && getBitmap() == page && !drawn.empty()) {
            take(drawn.back().box, uint32_t(drawn.size()));
            is_stale = false;
        }
    }

    void note(GfxState *state, double x, double y, double dx, double dy, std::u32string text)
    {
        if (type3_depth > 0)
            return; // text in the drawing of a character
        double left, top, right, bottom;
        state->transform(x, y, &left, &top);
        state->transform(x + dx, y + dy, &right, &bottom);
        const double em = std::max(2.0, std::fabs(state->getTransformedFontSize()));
        const double reach = 1.5 * em + 2;
        Drawn one;
        one.box = {std::min(left, right) - reach, std::min(top, bottom) - reach,
                   std::max(left, right) + reach, std::max(top, bottom) + reach};
        one.is_in_group = getBitmap() != page;
        const bool is_on_page = right > 0 && left < width && bottom > 0 && top < height;
        const bool is_painted = (state->getRender() & 3) != 3;
        one.glyph = {left / pixels_of_point,
                     top / pixels_of_point,
                     right / pixels_of_point,
                     (top - 0.3 * em) / pixels_of_point,
                     text,
                     false,
                     is_painted,
                     is_on_page && is_painted && !is_blank(text) &&
                         pdf_fonts_lack(state->getFont().get(), text)};
        drawn.push_back(one);
    }

    Box clip_of(GfxState *state) const
    {
        Box box;
        state->getClipBBox(&box.left, &box.top, &box.right, &box.bottom);
        return box.meet({0, 0, double(width), double(height)});
    }

    void look_for_cover(const Box &box)
    {
        for (const Box &below : pictures) {
            const Box both = below.meet(box);
            if (both.width() >= COVER_WIDTH_MIN && both.height() >= COVER_HEIGHT_MIN)
                has_covered_picture = true;
        }
    }

    void cover(GfxState *state)
    {
        is_stale = true;
        if (pictures.empty() || type3_depth > 0 || state->getFillOpacity() < OPAQUE)
            return;
        const GfxPath *path = state->getPath();
        std::vector<std::pair<double, double>> points;
        for (int i = 0; i < path->getNumSubpaths(); i++) {
            const GfxSubpath *part = path->getSubpath(i);
            for (int j = 0; j < part->getNumPoints(); j++) {
                double x, y;
                state->transform(part->getX(j), part->getY(j), &x, &y);
                points.emplace_back(x, y);
            }
        }
        look_for_cover(box_of(points).meet(clip_of(state)));
    }

    void picture(GfxState *state, Stream *stream)
    {
        is_stale = true;
        if (stream->getKind() == strDCT || stream->getKind() == strJPX)
            has_coded_picture = true;
        std::vector<std::pair<double, double>> corners;
        for (int i = 0; i < 4; i++) {
            double x, y;
            state->transform(i & 1, i >> 1, &x, &y);
            corners.emplace_back(x, y);
        }
        const Box whole = box_of(corners), shown = whole.meet(clip_of(state));
        if (whole.width() - std::max(0.0, shown.width()) > CROP_MIN ||
            whole.height() - std::max(0.0, shown.height()) > CROP_MIN)
            has_cropped_picture = true;
        if (shown.width() <= 0 || shown.height() <= 0)
            return;
        look_for_cover(shown);
        pictures.push_back(shown);
    }
};

double dpi_of(PDFDoc &document, int page)
{
    const double area = document.getPageCropWidth(page) * document.getPageCropHeight(page);
    const double pixels = area * DPI * DPI / (POINTS * POINTS);
    return pixels > PIXELS_MAX ? DPI * std::sqrt(PIXELS_MAX / pixels) : DPI;
}

void draw(PDFDoc &document, int page, double dpi, SightDevice &device)
{
    device.startDoc(&document);
    document.displayPage(&device, page, dpi, dpi, 0, false, true, false);
}

// ---- all text ----

class TextDevice : public OutputDev
{
  public:
    std::u32string text;

    bool upsideDown() override
    {
        return true;
    }
    bool useDrawChar() override
    {
        return true;
    }
    bool interpretType3Chars() override
    {
        return false;
    }
    bool needNonText() override
    {
        return false;
    }

    void drawChar(GfxState *, double, double, double, double, double, double, CharCode, int,
                  const Unicode *u, int length) override
    {
        if (actual_depth == 0)
            text += text_of(u, length);
    }

    void beginActualText(GfxState *, const GooString *actual) override
    {
        Unicode *u = nullptr;
        const int length = TextStringToUCS4(actual->toStr(), &u);
        if (actual_depth++ == 0)
            text += text_of(u, length);
        gfree(u);
    }

    void endActualText(GfxState *) override
    {
        actual_depth--;
    }

  private:
    int actual_depth = 0;
};

} // namespace

PdfSight pdf_sight_of(PDFDoc &document, int page)
{
    const double dpi = dpi_of(document, page), scale = dpi / POINTS;
    PdfSight sight;
    SightDevice with(true, scale);
    draw(document, page, dpi, with);
    sight.has_coded_picture = with.has_coded_picture;
    sight.has_covered_picture = with.has_covered_picture;
    sight.has_cropped_picture = with.has_cropped_picture;
    if (with.drawn.empty())
        return sight;
    SightDevice without(false, scale);
    draw(document, page, dpi, without);
    const int width = with.width;
    const auto differs = [&](size_t at) {
        return memcmp(&with.pixels[at * 3], &without.pixels[at * 3], 3) != 0;
    };
    for (size_t at = 0; at < with.owners.size(); at++)
        if (with.owners[at] != 0 && differs(at))
            with.drawn[with.owners[at] - 1].glyph.is_seen = true;
    bool is_before_seen = true;
    for (Drawn &one : with.drawn) {
        if (one.is_in_group) {
            const Box box = one.box.meet({0, 0, double(width), double(with.height)});
            for (int y = int(box.top); y < int(box.bottom); y++)
                for (int x = int(box.left); x < int(box.right); x++)
                    if (differs(size_t(y) * size_t(width) + size_t(x)))
                        one.glyph.is_seen = true;
        }
        if (is_blank(one.glyph.text))
            one.glyph.is_seen = is_before_seen;
        is_before_seen = one.glyph.is_seen;
        sight.glyphs.push_back(one.glyph);
    }
    return sight;
}

std::u32string pdf_sight_text(PDFDoc &document, int page)
{
    TextDevice device;
    document.displayPage(&device, page, POINTS, POINTS, 0, false, true, false);
    return device.text;
}

bool pdf_sight_is_space(char32_t c)
{
    return c <= 0x20 || (c >= 0x7f && c <= 0xa0) || c == 0xad || (c >= 0x2000 && c <= 0x200f) ||
           (c >= 0x2028 && c <= 0x202f) || c == 0x205f || c == 0x2060 || c == 0x3000 ||
           c == 0xfeff || c == 0xfffd || (c >= 0xe000 && c <= 0xf8ff);
}

std::u32string pdf_sight_bag(const std::u32string &text)
{
    std::u32string bag;
    std::copy_if(text.begin(), text.end(), std::back_inserter(bag),
                 [](char32_t c) { return !pdf_sight_is_space(c); });
    std::sort(bag.begin(), bag.end());
    return bag;
}

std::string pdf_sight_utf8(const std::u32string &text)
{
    std::string out;
    for (char32_t c : text) {
        if (c < 0x20 || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
            c = ' ';
        if (c < 0x80) {
            out.push_back(char(c));
        } else if (c < 0x800) {
            out.push_back(char(0xc0 | (c >> 6)));
            out.push_back(char(0x80 | (c & 0x3f)));
        } else if (c < 0x10000) {
            out.push_back(char(0xe0 | (c >> 12)));
            out.push_back(char(0x80 | ((c >> 6) & 0x3f)));
            out.push_back(char(0x80 | (c & 0x3f)));
        } else {
            out.push_back(char(0xf0 | (c >> 18)));
            out.push_back(char(0x80 | ((c >> 12) & 0x3f)));
            out.push_back(char(0x80 | ((c >> 6) & 0x3f)));
            out.push_back(char(0x80 | (c & 0x3f)));
        }
    }
    return out;
}
