"""Word lists of the rules for plain speech. Names that are also words, places or products are left out."""

FIRST_NAMES = frozenset(
    """
    aaron abdul adam adrian agnes ahmed aisha akira alan albert alejandro alex alexander alexandra ali alice alicia
    amanda amir amy ana anand andrea andreas andrew angela anil anita anna anne annika anton antonio arjun arthur
    barbara beatriz ben benjamin bernd bob brian bruno carlos carmen caroline catherine chen chiara chris christian
    christina christoph claire claudia connor daniel daniela david deborah deepak denise dennis diana diego dieter
    dmitri dominik donald dorothy edward eileen elena elizabeth emily emma eric erik ernesto ethan eva fatima felix
    fernando fiona florian francesca francisco francois fred gabriel gary george gerald giovanni giulia gloria gonzalo
    greg gregory guillaume gustavo hannah hans harald harry heather heidi heike helen helena henrik henry hiroshi
    hugo ian ibrahim igor ines ingrid irene isabel isabella ivan jack jacob jakob james jamie jan jana janet jason
    javier jean jeff jeffrey jennifer jens jessica jim joan joao joe joel johan johanna john johnny jonas jonathan
    jose josef joseph joshua juan judith julian julie jun karen karin karl kate katharina katherine kathleen katja
    keith kelly kenji kenneth kevin kim klaus konstantin kristin kumar kyle lars laura lauren lena leon leonardo liam
    linda lisa lorenzo louis louise luca lucas lucia luis lukas lydia magnus manuel marc marco margaret maria marie
    marina mario marta martha martin martina mary mathias matteo matthew matthias maurice mei melissa michael michelle
    miguel mike mikhail miriam mohamed mohammed monica monika nadia nancy naomi natalia natalie nathan neil nicholas
    nick nicola nicole nikolai nina noah nora norbert olaf olga oliver olivia omar oscar otto pablo patricia patrick
    paul paula paulo pavel pedro peter petra philip philipp pierre piotr priya rachel rafael rahul raj ralf ramesh
    raphael raul ravi rebecca regina renate ricardo richard rita robert roberto rodrigo roger roland roman ronald
    rosa ryan sabine sam samantha samir samuel sandra sanjay sara sarah satoshi scott sean sebastian sergei sergio
    sharon silke silvia simon simone sofia sophia sophie stefan stefanie stephanie stephen steve steven sunil susan
    susanne suresh sven svetlana takashi tamara tanja tatiana teresa theresa thomas tim timothy tobias tom tomas tony
    tyler ulrich ursula uwe valentina vanessa vera veronica vijay viktor vincent vladimir walter wei wendy werner
    wolfgang xavier yan yasmin yuki yusuf yvonne zoe
    """.split()  # noqa: SIM905 - a list of this length reads better as text
)

SHOUTED = frozenset(
    """
    a about absolutely again all already always an and any anyone apologies are as asap at attention back be because
    been before being both broken but by can cannot completely critical currently customers data do does down due
    during emergency ensure errors every everybody everyone everything except extremely failed fault fix fixed for
    from full fully further go had has have how huge if immediate immediately important in incident into is issue it
    its just known lost major many may more most must need never new no not nothing now of off on once only or other
    our outage over people permanently please possible problem quickly read really resolved right safe same secure
    serious should so some soon sorry still stop than thank thanks that the their them then there these they this
    those to today top total under until update up urgent us use users very wait warning was we were what when
    which while who why will with without working worst you your
    """.split()  # noqa: SIM905 - a list of this length reads better as text
)
# Loud enough alone.
SHOUTED_ALONE = frozenset(
    """
    absolutely all always asap attention broken completely critical down everybody everyone everything extremely
    fixed immediately important must never no not nothing now please resolved sorry urgent very warning
    """.split()  # noqa: SIM905 - a list of this length reads better as text
)
