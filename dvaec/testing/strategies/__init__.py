"""hypothesis strategies: any legal spec of the language, its page, and pages with a fault."""

from dvaec.testing.strategies.broken import BrokenPage, broken_pages
from dvaec.testing.strategies.page_text import page_of
from dvaec.testing.strategies.whole import pages, specs

__all__ = ["BrokenPage", "broken_pages", "page_of", "pages", "specs"]
