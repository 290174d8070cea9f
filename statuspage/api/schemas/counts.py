from statuspage.api.schemas.parts import ResponseModel


class CountOut(ResponseModel):
    """How many subscribers were found."""

    count: int


class CountsByMode(ResponseModel):
    email: int = 0
    sms: int = 0
    webhook: int = 0
    integration_partner: int = 0
    slack: int = 0
    teams: int = 0


class CountsByState(ResponseModel):
    active: int = 0
    unconfirmed: int = 0
    quarantined: int = 0
    total: int = 0


class Histogram(ResponseModel):
    email: CountsByState
    sms: CountsByState
    webhook: CountsByState
    integration_partner: CountsByState
    slack: CountsByState
    teams: CountsByState
