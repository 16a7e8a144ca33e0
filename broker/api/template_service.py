"""TemplateService: what is said again and again."""

from collections.abc import Mapping

from broker.api.auth import account_for
from broker.api.convert.analysis import analysis_of
from broker.api.convert.content import contents_message
from broker.api.convert.findings import Findings
from broker.api.convert.templates import (
    edition_of,
    template_message,
    template_name_of,
    template_query_of,
    template_ref_of,
    template_token,
    version_message,
    version_of,
)
from broker.api.gate import Access, Gate
from broker.api.message_service import UNITS_MAX
from broker.api.rpc import Method, Unary
from broker.delivery.policies import Policies
from broker.delivery.refusals import refusal
from broker.delivery.templates import TemplateName, Templates
from broker.domain.access import Principal
from broker.domain.linking import LinksRefused, with_link_rule
from broker.domain.personalising import as_said
from broker.domain.template import VERSIONS_MAX, Edition
from broker.domain.vocabulary import Channel
from waypost.v1 import template_pb2
from waypost.v1 import template_service_pb2 as pb

DESCRIPTOR = pb.DESCRIPTOR.services_by_name["TemplateService"]


class TemplateService:
    """Any key may read and render; keys that may send may write."""

    def __init__(
        self, *, gate: Gate, templates: Templates, policies: Policies, units_max: int = UNITS_MAX
    ) -> None:
        self._gate = gate
        self._templates = templates
        self._policies = policies
        self._units_max = units_max

    @property
    def methods(self) -> Mapping[str, Method]:
        """What is implemented."""
        return {
            "CreateTemplate": Unary(self.create_template, Access.SEND),
            "GetTemplate": Unary(self.get_template, Access.READ),
            "ListTemplates": Unary(self.list_templates, Access.READ),
            "UpdateTemplate": Unary(self.update_template, Access.SEND),
            "DeleteTemplate": Unary(self.delete_template, Access.SEND),
            "RenderTemplate": Unary(self.render_template, Access.READ),
        }

    async def create_template(
        self, caller: Principal, request: pb.CreateTemplateRequest
    ) -> pb.CreateTemplateResponse:
        """Store version 1."""
        account_id = await account_for(self._gate.keys, caller, request.account_id)
        name, edition = _written(account_id, request.template, Findings())
        template = await self._templates.create(name, edition)
        return pb.CreateTemplateResponse(template=template_message(template, whole=True))

    async def get_template(self, caller: Principal, request: pb.GetTemplateRequest) -> pb.GetTemplateResponse:
        """One version."""
        account_id = await account_for(self._gate.keys, caller, request.account_id)
        findings = Findings()
        name = template_name_of(account_id, request.project, request.name, findings)
        version = version_of("version", request.version, findings)
        findings.refuse()
        template = await self._templates.template(name, version)
        return pb.GetTemplateResponse(template=template_message(template, whole=True))

    async def list_templates(
        self, caller: Principal, request: pb.ListTemplatesRequest
    ) -> pb.ListTemplatesResponse:
        """A page of newest versions."""
        account_id = await account_for(self._gate.keys, caller, request.account_id)
        query = template_query_of(request, account_id)
        page = await self._templates.page(query)
        full = len(page) == query.page_size
        return pb.ListTemplatesResponse(
            templates=[template_message(each, whole=False) for each in page],
            next_page_token=template_token(page[-1], query) if full else "",
        )

    async def update_template(
        self, caller: Principal, request: pb.UpdateTemplateRequest
    ) -> pb.UpdateTemplateResponse:
        """Store another version."""
        account_id = await account_for(self._gate.keys, caller, request.account_id)
        findings = Findings()
        if not 0 <= request.expected_version <= VERSIONS_MAX:
            findings.broke("expected_version", f"must be from 1 to {VERSIONS_MAX:,}, or 0")
        name, edition = _written(account_id, request.template, findings)
        template = await self._templates.update(name, edition, request.expected_version or None)
        return pb.UpdateTemplateResponse(template=template_message(template, whole=True))

    async def delete_template(
        self, caller: Principal, request: pb.DeleteTemplateRequest
    ) -> pb.DeleteTemplateResponse:
        """Remove a template with all of its versions."""
        account_id = await account_for(self._gate.keys, caller, request.account_id)
        findings = Findings()
        name = template_name_of(account_id, request.project, request.name, findings)
        findings.refuse()
        await self._templates.delete(name)
        return pb.DeleteTemplateResponse()

    async def render_template(
        self, caller: Principal, request: pb.RenderTemplateRequest
    ) -> pb.RenderTemplateResponse:
        """What a template says with some values."""
        account_id = await account_for(self._gate.keys, caller, request.account_id)
        findings = Findings()
        ref = template_ref_of(request.template, findings)
        findings.refuse()
        rendered = await self._templates.render(account_id, ref)
        documents = rendered.content.documents
        response = pb.RenderTemplateResponse(content=contents_message(documents))
        if rendered.edition is not None:
            response.template.CopyFrom(version_message(rendered.edition))
        if Channel.SMS in documents:
            policies = await self._policies.of((account_id,))
            linked = with_link_rule(rendered, policies[account_id])
            if isinstance(linked, LinksRefused):
                raise refusal(rendered, linked)
            text = as_said(linked).content.text_on(Channel.SMS)
            response.analysis.CopyFrom(analysis_of(text, (), self._units_max))
        return response


def _written(
    account_id: int, template: template_pb2.Template, findings: Findings
) -> tuple[TemplateName, Edition]:
    """The name and the version that a caller writes. Raises BrokerError with every rule that it breaks."""
    name = template_name_of(account_id, template.project, template.name, findings, "template")
    edition = edition_of(template, findings)
    findings.refuse()
    return name, edition
