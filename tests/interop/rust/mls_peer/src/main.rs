//! OpenMLS for tests: one client that answers each line on stdin with a line on stdout, fields in hex and separated by spaces.
//!
//! keys SUITE                     -> ok SIGNATURE_KEY           (once, first)
//! credential IDENTITY            -> ok
//! package                        -> ok KEY_PACKAGE
//! create GROUP_ID SETTINGS       -> ok
//! join WELCOME                   -> ok
//! external GROUP_INFO            -> ok COMMIT
//! add KEY_PACKAGE...             -> ok COMMIT WELCOME
//! remove LEAF_INDEX              -> ok COMMIT
//! update                         -> ok COMMIT
//! settings SETTINGS              -> ok COMMIT
//! leave                          -> ok PROPOSAL
//! pending                        -> ok COMMIT                  (of what was proposed)
//! send DATA                      -> ok MESSAGE
//! process MESSAGE                -> application LEAF_INDEX DATA | commit | proposal
//! info                           -> ok GROUP_INFO
//! export LABEL CONTEXT LENGTH    -> ok SECRET                  (LABEL is text)
//! state                          -> ok EPOCH AUTHENTICATOR SETTINGS IDENTITIES   (joined by commas)
//!
//! What fails is answered `error TEXT`.

use openmls::prelude::tls_codec::{Deserialize, Serialize};
use openmls::prelude::*;
use openmls_basic_credential::SignatureKeyPair;
use openmls_rust_crypto::OpenMlsRustCrypto;
use std::fmt::Debug;
use std::io::{BufRead, Write};

type Outcome<T> = Result<T, String>;

const SETTINGS: u16 = 0xf0b7;

fn main() {
    let mut client = Client::default();
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("stdin");
        let answer = client
            .answer(&line)
            .unwrap_or_else(|error| format!("error {error}"));
        writeln!(out, "{}", answer.replace('\n', " ")).expect("stdout");
        out.flush().expect("stdout");
    }
}

#[derive(Default)]
struct Client {
    provider: OpenMlsRustCrypto,
    keys: Option<(Ciphersuite, SignatureKeyPair)>,
    credential: Option<CredentialWithKey>,
    group: Option<MlsGroup>,
}

impl Client {
    fn answer(&mut self, line: &str) -> Outcome<String> {
        let fields: Vec<&str> = line.split(' ').collect();
        match fields[..] {
            ["keys", suite] => {
                let number: u16 = suite.parse().map_err(text)?;
                let suite = Ciphersuite::try_from(number).map_err(text)?;
                let keys = SignatureKeyPair::new(suite.signature_algorithm()).map_err(text)?;
                keys.store(self.provider.storage()).map_err(text)?;
                let public = hex(keys.public());
                self.keys = Some((suite, keys));
                Ok(format!("ok {public}"))
            }
            ["credential", identity] => {
                self.credential = Some(CredentialWithKey {
                    credential: BasicCredential::new(unhex(identity)?).into(),
                    signature_key: self.keys()?.1.public().into(),
                });
                Ok("ok".into())
            }
            ["package"] => {
                let (suite, keys) = self.keys()?;
                let bundle = KeyPackage::builder()
                    .leaf_node_capabilities(capabilities(*suite))
                    .build(*suite, &self.provider, keys, self.credential()?)
                    .map_err(text)?;
                encoded(MlsMessageOut::from(bundle.key_package().clone()))
            }
            ["create", id, settings] => {
                let (suite, keys) = self.keys()?;
                let config = MlsGroupCreateConfig::builder()
                    .ciphersuite(*suite)
                    .capabilities(capabilities(*suite))
                    .use_ratchet_tree_extension(true)
                    .with_group_context_extensions(extensions(settings)?)
                    .build();
                let group = MlsGroup::new_with_group_id(
                    &self.provider,
                    keys,
                    &config,
                    GroupId::from_slice(&unhex(id)?),
                    self.credential()?,
                )
                .map_err(text)?;
                self.group = Some(group);
                Ok("ok".into())
            }
            ["join", welcome] => {
                let MlsMessageBodyIn::Welcome(welcome) = message(welcome)?.extract() else {
                    return Err("not a Welcome".into());
                };
                let staged =
                    StagedWelcome::new_from_welcome(&self.provider, &join_config(), welcome, None)
                        .map_err(text)?;
                self.group = Some(staged.into_group(&self.provider).map_err(text)?);
                Ok("ok".into())
            }
            ["external", info] => {
                let MlsMessageBodyIn::GroupInfo(info) = message(info)?.extract() else {
                    return Err("not a GroupInfo".into());
                };
                let (suite, keys) = self.keys()?;
                let leaf = LeafNodeParameters::builder()
                    .with_capabilities(capabilities(*suite))
                    .build();
                let (group, bundle) = MlsGroup::external_commit_builder()
                    .with_config(join_config())
                    .build_group(&self.provider, info, self.credential()?)
                    .map_err(text)?
                    .leaf_node_parameters(leaf)
                    .load_psks(self.provider.storage())
                    .map_err(text)?
                    .build(self.provider.rand(), self.provider.crypto(), keys, |_| true)
                    .map_err(text)?
                    .finalize(&self.provider)
                    .map_err(text)?;
                self.group = Some(group);
                encoded(bundle.into_commit())
            }
            ["add", ref packages @ ..] => {
                let packages = packages
                    .iter()
                    .map(|package| {
                        let MlsMessageBodyIn::KeyPackage(package) = message(package)?.extract()
                        else {
                            return Err("not a key package".into());
                        };
                        package
                            .validate(self.provider.crypto(), ProtocolVersion::Mls10)
                            .map_err(text)
                    })
                    .collect::<Outcome<Vec<_>>>()?;
                let (provider, keys, group) = self.parts()?;
                let (commit, welcome, _) = group
                    .add_members(provider, keys, &packages)
                    .map_err(text)?;
                group.merge_pending_commit(provider).map_err(text)?;
                Ok(format!("{} {}", encoded(commit)?, bytes(welcome)?))
            }
            ["remove", leaf] => {
                let leaf = LeafNodeIndex::new(leaf.parse().map_err(text)?);
                let (provider, keys, group) = self.parts()?;
                let (commit, _, _) = group.remove_members(provider, keys, &[leaf]).map_err(text)?;
                group.merge_pending_commit(provider).map_err(text)?;
                encoded(commit)
            }
            ["update"] => {
                let (provider, keys, group) = self.parts()?;
                let bundle = group
                    .self_update(provider, keys, LeafNodeParameters::default())
                    .map_err(text)?;
                let commit = bundle.into_commit();
                group.merge_pending_commit(provider).map_err(text)?;
                encoded(commit)
            }
            ["settings", settings] => {
                let (provider, keys, group) = self.parts()?;
                let (commit, _, _) = group
                    .update_group_context_extensions(provider, extensions(settings)?, keys)
                    .map_err(text)?;
                group.merge_pending_commit(provider).map_err(text)?;
                encoded(commit)
            }
            ["leave"] => {
                let (provider, keys, group) = self.parts()?;
                encoded(group.leave_group(provider, keys).map_err(text)?)
            }
            ["pending"] => {
                let (provider, keys, group) = self.parts()?;
                let (commit, _, _) = group
                    .commit_to_pending_proposals(provider, keys)
                    .map_err(text)?;
                group.merge_pending_commit(provider).map_err(text)?;
                encoded(commit)
            }
            ["send", data] => {
                let (provider, keys, group) = self.parts()?;
                let message = group
                    .create_message(provider, keys, &unhex(data)?)
                    .map_err(text)?;
                encoded(message)
            }
            ["process", bytes] => self.process(message(bytes)?),
            ["info"] => {
                let (provider, keys, group) = self.parts()?;
                let info = group
                    .export_group_info(provider.crypto(), keys, true)
                    .map_err(text)?;
                encoded(info)
            }
            ["export", label, context, length] => {
                let (provider, _, group) = self.parts()?;
                let length = length.parse().map_err(text)?;
                let secret = group
                    .export_secret(provider.crypto(), label, &unhex(context)?, length)
                    .map_err(text)?;
                Ok(format!("ok {}", hex(&secret)))
            }
            ["state"] => {
                let (_, _, group) = self.parts()?;
                let settings = group
                    .extensions()
                    .iter()
                    .find_map(|extension| match extension {
                        Extension::Unknown(SETTINGS, UnknownExtension(data)) => Some(hex(data)),
                        _ => None,
                    });
                let members: Vec<String> = group
                    .members()
                    .map(|member| hex(member.credential.serialized_content()))
                    .collect();
                Ok(format!(
                    "ok {} {} {} {}",
                    group.epoch().as_u64(),
                    hex(group.epoch_authenticator().as_slice()),
                    settings.unwrap_or_default(),
                    members.join(",")
                ))
            }
            _ => Err(format!("unknown request {}", fields[0])),
        }
    }

    fn process(&mut self, message: MlsMessageIn) -> Outcome<String> {
        let (provider, _, group) = self.parts()?;
        let message = message.try_into_protocol_message().map_err(text)?;
        let processed = group.process_message(provider, message).map_err(text)?;
        let sender = processed.sender().clone();
        match processed.into_content() {
            ProcessedMessageContent::ApplicationMessage(data) => {
                let Sender::Member(leaf) = sender else {
                    return Err("not of a member".into());
                };
                Ok(format!(
                    "application {} {}",
                    leaf.u32(),
                    hex(&data.into_bytes())
                ))
            }
            ProcessedMessageContent::StagedCommitMessage(commit) => {
                group
                    .merge_staged_commit(provider, *commit)
                    .map_err(text)?;
                Ok("commit".into())
            }
            ProcessedMessageContent::ProposalMessage(proposal) => {
                group
                    .store_pending_proposal(provider.storage(), *proposal)
                    .map_err(text)?;
                Ok("proposal".into())
            }
            _ => Err("another kind of message".into()),
        }
    }

    fn keys(&self) -> Outcome<&(Ciphersuite, SignatureKeyPair)> {
        self.keys.as_ref().ok_or("no keys".into())
    }

    fn credential(&self) -> Outcome<CredentialWithKey> {
        self.credential.clone().ok_or("no credential".into())
    }

    fn parts(&mut self) -> Outcome<(&OpenMlsRustCrypto, &SignatureKeyPair, &mut MlsGroup)> {
        match (&self.keys, &mut self.group) {
            (Some((_, keys)), Some(group)) => Ok((&self.provider, keys, group)),
            _ => Err("no group".into()),
        }
    }
}

fn capabilities(suite: Ciphersuite) -> Capabilities {
    Capabilities::new(
        None,
        Some(&[suite]),
        Some(&[ExtensionType::Unknown(SETTINGS)]),
        None,
        Some(&[CredentialType::Basic]),
    )
}

fn extensions(settings: &str) -> Outcome<Extensions<GroupContext>> {
    let settings = UnknownExtension(unhex(settings)?);
    let required =
        RequiredCapabilitiesExtension::new(&[ExtensionType::Unknown(SETTINGS)], &[], &[]);
    Extensions::from_vec(vec![
        Extension::RequiredCapabilities(required),
        Extension::Unknown(SETTINGS, settings),
    ])
    .map_err(text)
}

fn join_config() -> MlsGroupJoinConfig {
    MlsGroupJoinConfig::builder()
        .use_ratchet_tree_extension(true)
        .build()
}

fn message(text_in_hex: &str) -> Outcome<MlsMessageIn> {
    MlsMessageIn::tls_deserialize_exact(unhex(text_in_hex)?).map_err(text)
}

fn bytes(message: MlsMessageOut) -> Outcome<String> {
    Ok(hex(&message.tls_serialize_detached().map_err(text)?))
}

fn encoded(message: MlsMessageOut) -> Outcome<String> {
    Ok(format!("ok {}", bytes(message)?))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(hex: &str) -> Outcome<Vec<u8>> {
    (0..hex.len())
        .step_by(2)
        .map(|i| {
            let digits = hex.get(i..i + 2).ok_or("odd hex")?;
            u8::from_str_radix(digits, 16).map_err(text)
        })
        .collect()
}

fn text(error: impl Debug) -> String {
    format!("{error:?}")
}
