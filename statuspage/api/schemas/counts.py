from statuspage.api.schemas.parts import Answered


class CountOut(Answered):
    """How many subscribers were found."""

    count: int


class CountsByMode(Answered):
    email: int = 0
    sms: int = 0
    webhook: int = 0
    integration_partner: int = 0
    slack: int = 0
    teams: int = 0


class CountsByState(Answered):
    active: int = 0
    unconfirmed: int = 0
    quarantined: int = 0
    total: int = 0


class Histogram(Answered):
    email: CountsByState
    sms: CountsByState
    webhook: CountsByState
    integration_partner: CountsByState
    slack: CountsByState
    teams: CountsByState
