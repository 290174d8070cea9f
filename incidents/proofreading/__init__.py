"""Proofread an update or a postmortem before it is published. Pure: returns remarks for a text and facts."""

from incidents.proofreading.durations import check_durations
from incidents.proofreading.facts import Action, PageFacts, ProofreadingOptions, Record
from incidents.proofreading.leaks import check_leaks
from incidents.proofreading.names import check_names
from incidents.proofreading.prose import Text
from incidents.proofreading.remarks import Remark, Severity
from incidents.proofreading.sections import check_sections
from incidents.proofreading.style import check_speech
from incidents.proofreading.times import check_times

__all__ = ["Action", "PageFacts", "ProofreadingOptions", "Record", "Remark", "Severity", "proofread"]


def proofread(text: str, record: Record, page: PageFacts) -> list[Remark]:
    """Return the remarks in the order of the text.

    Line ends must be `\\n`: positions count characters of `text`. Its time grows with the length of `text`.
    """
    if not text.strip():
        return []
    read = Text(text)
    remarks = [
        *check_times(read, record, page),
        *check_durations(read, record),
        *check_leaks(read, page),
        *check_speech(read, record, page),
        *check_names(read, page.components),
        *(check_sections(read, record.actions) if record.is_postmortem else ()),
    ]
    return sorted(set(remarks))
